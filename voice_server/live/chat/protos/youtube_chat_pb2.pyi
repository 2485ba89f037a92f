from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LiveChatMessageListRequest(_message.Message):
    __slots__ = ("live_chat_id", "page_token", "part")
    LIVE_CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    live_chat_id: str
    page_token: str
    part: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, live_chat_id: _Optional[str] = ..., page_token: _Optional[str] = ..., part: _Optional[_Iterable[str]] = ...) -> None: ...

class LiveChatMessageListResponse(_message.Message):
    __slots__ = ("offline_at", "items", "next_page_token")
    OFFLINE_AT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    offline_at: str
    items: _containers.RepeatedCompositeFieldContainer[LiveChatMessage]
    next_page_token: str
    def __init__(self, offline_at: _Optional[str] = ..., items: _Optional[_Iterable[_Union[LiveChatMessage, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LiveChatMessage(_message.Message):
    __slots__ = ("snippet", "author_details", "id")
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_DETAILS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    snippet: LiveChatMessageSnippet
    author_details: LiveChatMessageAuthorDetails
    id: str
    def __init__(self, snippet: _Optional[_Union[LiveChatMessageSnippet, _Mapping]] = ..., author_details: _Optional[_Union[LiveChatMessageAuthorDetails, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class LiveChatMessageAuthorDetails(_message.Message):
    __slots__ = ("is_chat_owner", "is_chat_sponsor", "is_chat_moderator", "display_name", "channel_id")
    IS_CHAT_OWNER_FIELD_NUMBER: _ClassVar[int]
    IS_CHAT_SPONSOR_FIELD_NUMBER: _ClassVar[int]
    IS_CHAT_MODERATOR_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    is_chat_owner: bool
    is_chat_sponsor: bool
    is_chat_moderator: bool
    display_name: str
    channel_id: str
    def __init__(self, is_chat_owner: _Optional[bool] = ..., is_chat_sponsor: _Optional[bool] = ..., is_chat_moderator: _Optional[bool] = ..., display_name: _Optional[str] = ..., channel_id: _Optional[str] = ...) -> None: ...

class LiveChatMessageSnippet(_message.Message):
    __slots__ = ("type", "published_at", "display_message", "message_deleted_details", "message_retracted_details", "user_banned_details", "super_chat_details", "super_sticker_details", "membership_gifting_details", "live_chat_id")
    class TypeWrapper(_message.Message):
        __slots__ = ()
        class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            INVALID_TYPE: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            TEXT_MESSAGE_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            TOMBSTONE: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            CHAT_ENDED_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            NEW_SPONSOR_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            MESSAGE_DELETED_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            MESSAGE_RETRACTED_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            USER_BANNED_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            SUPER_CHAT_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            SUPER_STICKER_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            MEMBER_MILESTONE_CHAT_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
            MEMBERSHIP_GIFTING_EVENT: _ClassVar[LiveChatMessageSnippet.TypeWrapper.Type]
        INVALID_TYPE: LiveChatMessageSnippet.TypeWrapper.Type
        TEXT_MESSAGE_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        TOMBSTONE: LiveChatMessageSnippet.TypeWrapper.Type
        CHAT_ENDED_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        NEW_SPONSOR_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        MESSAGE_DELETED_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        MESSAGE_RETRACTED_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        USER_BANNED_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        SUPER_CHAT_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        SUPER_STICKER_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        MEMBER_MILESTONE_CHAT_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        MEMBERSHIP_GIFTING_EVENT: LiveChatMessageSnippet.TypeWrapper.Type
        def __init__(self) -> None: ...
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_DELETED_DETAILS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_RETRACTED_DETAILS_FIELD_NUMBER: _ClassVar[int]
    USER_BANNED_DETAILS_FIELD_NUMBER: _ClassVar[int]
    SUPER_CHAT_DETAILS_FIELD_NUMBER: _ClassVar[int]
    SUPER_STICKER_DETAILS_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_GIFTING_DETAILS_FIELD_NUMBER: _ClassVar[int]
    LIVE_CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    type: LiveChatMessageSnippet.TypeWrapper.Type
    published_at: str
    display_message: str
    message_deleted_details: LiveChatMessageDeletedDetails
    message_retracted_details: LiveChatMessageRetractedDetails
    user_banned_details: LiveChatUserBannedMessageDetails
    super_chat_details: LiveChatSuperChatDetails
    super_sticker_details: LiveChatSuperStickerDetails
    membership_gifting_details: LiveChatMembershipGiftingDetails
    live_chat_id: str
    def __init__(self, type: _Optional[_Union[LiveChatMessageSnippet.TypeWrapper.Type, str]] = ..., published_at: _Optional[str] = ..., display_message: _Optional[str] = ..., message_deleted_details: _Optional[_Union[LiveChatMessageDeletedDetails, _Mapping]] = ..., message_retracted_details: _Optional[_Union[LiveChatMessageRetractedDetails, _Mapping]] = ..., user_banned_details: _Optional[_Union[LiveChatUserBannedMessageDetails, _Mapping]] = ..., super_chat_details: _Optional[_Union[LiveChatSuperChatDetails, _Mapping]] = ..., super_sticker_details: _Optional[_Union[LiveChatSuperStickerDetails, _Mapping]] = ..., membership_gifting_details: _Optional[_Union[LiveChatMembershipGiftingDetails, _Mapping]] = ..., live_chat_id: _Optional[str] = ...) -> None: ...

class LiveChatMessageDeletedDetails(_message.Message):
    __slots__ = ("deleted_message_id",)
    DELETED_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    deleted_message_id: str
    def __init__(self, deleted_message_id: _Optional[str] = ...) -> None: ...

class LiveChatMessageRetractedDetails(_message.Message):
    __slots__ = ("retracted_message_id",)
    RETRACTED_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    retracted_message_id: str
    def __init__(self, retracted_message_id: _Optional[str] = ...) -> None: ...

class LiveChatUserBannedMessageDetails(_message.Message):
    __slots__ = ("banned_user_details",)
    BANNED_USER_DETAILS_FIELD_NUMBER: _ClassVar[int]
    banned_user_details: ChannelProfileDetails
    def __init__(self, banned_user_details: _Optional[_Union[ChannelProfileDetails, _Mapping]] = ...) -> None: ...

class ChannelProfileDetails(_message.Message):
    __slots__ = ("channel_id",)
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    channel_id: str
    def __init__(self, channel_id: _Optional[str] = ...) -> None: ...

class LiveChatSuperChatDetails(_message.Message):
    __slots__ = ("amount_micros", "currency", "user_comment")
    AMOUNT_MICROS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    USER_COMMENT_FIELD_NUMBER: _ClassVar[int]
    amount_micros: int
    currency: str
    user_comment: str
    def __init__(self, amount_micros: _Optional[int] = ..., currency: _Optional[str] = ..., user_comment: _Optional[str] = ...) -> None: ...

class LiveChatSuperStickerDetails(_message.Message):
    __slots__ = ("amount_micros", "currency")
    AMOUNT_MICROS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    amount_micros: int
    currency: str
    def __init__(self, amount_micros: _Optional[int] = ..., currency: _Optional[str] = ...) -> None: ...

class LiveChatMembershipGiftingDetails(_message.Message):
    __slots__ = ("gift_memberships_count",)
    GIFT_MEMBERSHIPS_COUNT_FIELD_NUMBER: _ClassVar[int]
    gift_memberships_count: int
    def __init__(self, gift_memberships_count: _Optional[int] = ...) -> None: ...
