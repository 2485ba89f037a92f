from __future__ import annotations

from voice_server.live.captions import Caption, CaptionLog, webvtt


def test_webvtt() -> None:
    log = CaptionLog()
    log.add(Caption(0.0, 2.5, (("fr", "Elle coûte 49 €."), ("nl", "Ze kost € 49."))))
    log.add(Caption(3723.04, 3723.1, (("fr", "A < B & C --> D"),)))
    assert log.webvtt("nl") == (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:02.500\nZe kost € 49.\n\n"
        "2\n01:02:03.040 --> 01:02:03.540\nA &lt; B &amp; C --&gt; D\n"
    )
    assert "49 €" in log.webvtt("fr")
    assert webvtt([Caption(0, 1, ())], "fr").startswith("WEBVTT")


def test_a_translation_goes_to_the_newest_caption_that_says_it() -> None:
    log = CaptionLog()
    log.add(Caption(0, 1, (("fr", "Bonjour."),)))
    log.add(Caption(1, 2, (("fr", "Bonsoir."),)))
    log.translated("Bonjour.", "fr", "nl", "Dag.")
    assert "Dag." in log.webvtt("nl")
    assert "Bonsoir." in log.webvtt("nl")
