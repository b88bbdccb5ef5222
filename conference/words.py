"""The small words of which the messages of the meeting socket are made."""

from typing import Annotated, Literal

from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Sequence = Annotated[int, Meta(ge=0, description="position in the meeting's journal; 0 is before the first line")]
Epoch = Annotated[int, Meta(ge=0, description="which relay carries the meeting; rises with each move")]
At = Annotated[int, Meta(ge=0, description="milliseconds since 1970, the server's clock")]
Role = Literal["host", "cohost", "member", "guest"]
Origin = Literal["microphone", "camera", "screen", "screen-sound"]
Kind = Literal["audio", "video"]
Connection = Literal["send", "receive"]
Sdp = Annotated[str, Meta(min_length=1, max_length=128 * 1024)]
ChatText = Annotated[str, Meta(min_length=1, max_length=4000)]
