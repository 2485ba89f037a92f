from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.chat.irc import parse, unescape
from voice_server.live.chat.twitch_irc import PONG_S, QUIET_S, Reconnect, Send, TwitchIrc

MESSAGE = (
    "@badge-info=;badges=moderator/1,vip/1;bits=;color=#1E90FF;display-name=Ana\\sB;emotes=25:0-4;"
    "id=m-1;mod=1;room-id=7;subscriber=1;user-id=42 :ana!ana@ana.tmi.twitch.tv PRIVMSG #marolle "
    ":Kappa combien coûte Oslo ?\r\n"
)


def reader() -> TwitchIrc:
    irc = TwitchIrc("#Marolle")
    irc.connected(0.0)
    irc.receive(":tmi.twitch.tv 001 justinfan7531 :Welcome\r\n", 0.1)
    irc.receive("@room-id=7 :tmi.twitch.tv ROOMSTATE #marolle\r\n", 0.2)
    return irc


def only(outputs: Sequence[object]) -> ChatEvent:
    [event] = outputs
    assert isinstance(event, ChatEvent)
    return event


def test_an_anonymous_reader_registers_and_joins() -> None:
    irc = TwitchIrc("#Marolle")
    assert irc.connected(0.0) == [
        Send("CAP REQ :twitch.tv/tags twitch.tv/commands"),
        Send("PASS SCHMOOPIIE"),
        Send("NICK justinfan7531"),
        Send("USER justinfan7531 8 * :justinfan7531"),
    ]
    assert irc.receive(":tmi.twitch.tv CAP * ACK :twitch.tv/tags\r\n", 0) == []
    assert irc.receive(":tmi.twitch.tv 001 x :hi\r\n", 0) == [Send("JOIN #marolle")]
    assert not irc.joined
    irc.receive(":tmi.twitch.tv 366 x #marolle :End\r\n", 0)
    assert irc.joined


def test_another_server_is_negotiated_with() -> None:
    irc = TwitchIrc("room", nick="guest")
    assert Send("PASS SCHMOOPIIE") not in irc.connected(0)
    assert irc.receive(":irc.local CAP * NAK :twitch.tv/tags twitch.tv/commands\r\n", 0) == [
        Send("CAP REQ :message-tags"),
        Send("CAP END"),
    ]
    assert irc.receive(":irc.local CAP guest ACK :message-tags\r\n", 0) == [Send("CAP END")]


def test_a_message_carries_author_roles_and_words_without_emotes() -> None:
    event = only(reader().receive(MESSAGE, 5.0))
    assert event == ChatEvent(
        platform="twitch",
        id="m-1",
        kind=Kind.MESSAGE,
        at=5.0,
        author_id="42",
        author="Ana B",
        text="combien coûte Oslo ?",
        roles=frozenset({Role.MODERATOR, Role.VIP, Role.SUBSCRIBER}),
        channel="marolle",
    )


def test_actions_bits_and_names_without_tags() -> None:
    irc = reader()
    action = only(irc.receive(":bo!b@c PRIVMSG #marolle :\x01ACTION waves\x01\r\n", 1))
    assert (action.text, action.author, action.author_id) == ("waves", "bo", "bo")
    paid = only(irc.receive("@bits=100;id=p :bo!b@c PRIVMSG #marolle :great\r\n", 1))
    assert (paid.kind, paid.amount, paid.currency) == (Kind.PAID, 100.0, "bits")
    again = only(irc.receive(":bo!b@c PRIVMSG #marolle :x\r\n", 1))
    assert again.id != action.id


def test_shared_chat_of_another_channel_is_left_to_it() -> None:
    line = "@id=s;room-id=7;source-room-id=9 :bo!b@c PRIVMSG #marolle :hi\r\n"
    assert reader().receive(line, 1) == []


@pytest.mark.parametrize(
    ("line", "kind", "target"),
    [
        ("@target-msg-id=m-1 :tmi.twitch.tv CLEARMSG #marolle :x", Kind.DELETE, "m-1"),
        (
            "@target-user-id=42;ban-duration=9 :tmi.twitch.tv CLEARCHAT #marolle :ana",
            Kind.BAN,
            "42",
        ),
        (":tmi.twitch.tv CLEARCHAT #marolle", Kind.CLEAR, ""),
    ],
)
def test_what_moderators_take_back(line: str, kind: Kind, target: str) -> None:
    event = only(reader().receive(line + "\r\n", 1))
    assert (event.kind, event.target) == (kind, target)


def test_removals_without_a_target_are_no_removals() -> None:
    assert reader().receive(":tmi.twitch.tv CLEARMSG #marolle :x\r\n", 1) == []


@pytest.mark.parametrize(
    ("tags", "kind", "amount"),
    [
        ("msg-id=resub;login=ana;id=1", Kind.SUBSCRIBE, 1.0),
        ("msg-id=submysterygift;msg-param-mass-gift-count=5;login=ana;id=1", Kind.GIFT, 5.0),
        ("msg-id=raid;msg-param-viewerCount=120;login=ana;id=1", Kind.RAID, 120.0),
    ],
)
def test_notices(tags: str, kind: Kind, amount: float) -> None:
    event = only(reader().receive(f"@{tags} :tmi.twitch.tv USERNOTICE #marolle\r\n", 1))
    assert (event.kind, event.amount, event.author) == (kind, amount, "ana")


def test_unknown_notices_other_channels_and_strange_commands_are_nothing() -> None:
    irc = reader()
    assert irc.receive("@msg-id=ritual :tmi.twitch.tv USERNOTICE #marolle\r\n", 1) == []
    assert irc.receive(":bo!b@c PRIVMSG #other :hi\r\n", 1) == []
    assert irc.receive(":bo!b@c TOPIC #marolle :hi\r\n", 1) == []
    assert irc.receive(":bo!b@c PRIVMSG\r\n\r\n:only.prefix\r\n@tags\r\n", 1) == []


@pytest.mark.parametrize(
    "line",
    [
        ":tmi.twitch.tv RECONNECT",
        "ERROR :Closing Link",
        ":x 433 * nick :taken",
        ":tmi.twitch.tv NOTICE * :Login authentication failed",
    ],
)
def test_reasons_to_reconnect(line: str) -> None:
    [out] = reader().receive(line + "\r\n", 1)
    assert isinstance(out, Reconnect)


def test_ping_is_answered_and_silence_is_probed() -> None:
    irc = reader()
    assert irc.receive("PING :tmi.twitch.tv\r\n", 10.0) == [Send("PONG :tmi.twitch.tv")]
    assert irc.next_deadline() == 10.0 + QUIET_S
    assert irc.tick(11.0) == []
    assert irc.tick(10.0 + QUIET_S) == [Send("PING :alive")]
    irc.receive(":tmi.twitch.tv PONG tmi.twitch.tv :alive\r\n", 345.0)
    assert irc.tick(345.0 + QUIET_S) == [Send("PING :alive")]
    assert irc.tick(345.0 + QUIET_S + PONG_S) == [Reconnect("no answer")]
    assert irc.next_deadline() is None
    assert irc.tick(9999.0) == []


def test_no_welcome_is_no_connection() -> None:
    irc = TwitchIrc("x")
    irc.connected(0.0)
    assert irc.tick(15.0) == [Reconnect("no answer")]


@pytest.mark.parametrize("name", ["", "#", "a b", "x\r\nQUIT", "y" * 60])
def test_channel_names_cannot_smuggle_lines(name: str) -> None:
    with pytest.raises(ValueError, match="no channel name"):
        TwitchIrc(name)


@given(st.integers(1, 40))
def test_lines_may_arrive_in_any_pieces(size: int) -> None:
    irc = reader()
    events: list[object] = []
    for at in range(0, len(MESSAGE), size):
        events += irc.receive(MESSAGE[at : at + size], 1.0)
    assert only(events).id == "m-1"


@given(st.text(max_size=400))
def test_anything_is_survived(text: str) -> None:
    irc = reader()
    irc.receive(text + "\r\n", 1.0)
    assert only(irc.receive(MESSAGE, 2.0)).id == "m-1"


def test_a_line_without_end_is_bounded() -> None:
    irc = reader()
    for _ in range(100):
        irc.receive("x" * 10_000, 1.0)
    assert len(irc._buffer) < 10_000


def test_tags_are_unescaped() -> None:
    assert unescape(r"a\\b\:\s\r\n\q" + "\\") == "a\\b; \r\nq"
    line = parse("@k=v;;flag;x=y :n!u@h CMD a b :c d")
    assert line is not None
    assert (line.nick, line.params, line.tags["flag"]) == ("n", ("a", "b", "c d"), "")


@pytest.mark.parametrize("emotes", ["25", "25:a-b", "25:1", "25:1-99999999999999", ":::", "25:3-1"])
def test_malformed_emotes_take_nothing_away(emotes: str) -> None:
    line = f"@emotes={emotes};id=e :bo!b@c PRIVMSG #marolle :hello\r\n"
    assert only(reader().receive(line, 1)).text == "hello"
