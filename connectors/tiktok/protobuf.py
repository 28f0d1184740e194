"""Protocol Buffers on the wire, by Google's library, for messages declared as in `shapes`.

No generated code: a class whose fields are annotated with type and number is turned into a descriptor when
it is first needed. Whatever is not declared is skipped, declared fields of another wire type included, as
the format demands of readers older than the writer.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

TYPES: dict[type[Any], int] = {
    int: Field.TYPE_UINT64,
    bool: Field.TYPE_BOOL,
    bytes: Field.TYPE_BYTES,
}
"""Any other type is a message inside."""
Shape = TypeVar("Shape")


class Malformed(ValueError):
    """These bytes are not a message."""


def read(shape: type[Shape], data: bytes) -> Shape:
    """A message; fields that are absent have their defaults: 0, no bytes, an empty message, none."""
    try:
        known = message_class(shape)  # type: ignore[arg-type] # mypy takes a class's hash for its objects'
        return cast("Shape", known.FromString(data))
    except DecodeError:
        raise Malformed(f"no {shape.__name__} in these bytes") from None


def write(shape: type[Any], **values: object) -> bytes:
    """A message of these fields, in the order of their numbers; defaults are left out."""
    known = message_class(shape)  # type: ignore[arg-type] # as above
    return bytes(known(**values).SerializeToString())


def utf8(raw: bytes) -> str:
    """Text; bytes that are no UTF-8 are replaced rather than losing the message."""
    return raw.decode("utf-8", "replace")


@functools.cache
def message_class(shape: type[Any]) -> Any:
    """The library's class for a shape, made once. It has a pool of its own: the common one is everybody's."""
    file = FileDescriptorProto(name="tiktok.proto", package="tiktok", syntax="proto3")
    for one in dict.fromkeys(reached(shape)):
        described = file.message_type.add(name=one.__name__)
        for name, number, kind, repeated in fields(one):
            field = described.field.add(name=name, number=number, type=TYPES.get(kind, Field.TYPE_MESSAGE))
            field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if kind not in TYPES:
                field.type_name = f".tiktok.{kind.__name__}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tiktok.{shape.__name__}"))


def reached(shape: type[Any]) -> Iterator[type[Any]]:
    """The shape and all that lie in it, some more than once."""
    yield shape
    for _, _, kind, _ in fields(shape):
        if kind not in TYPES:
            yield from reached(kind)


def fields(shape: type[Any]) -> Iterator[tuple[str, int, type[Any], bool]]:
    """(name, number, type, whether it is repeated), from the annotations."""
    for name, hint in get_type_hints(shape, include_extras=True).items():
        kind, number = get_args(hint)
        repeated = get_origin(kind) is Sequence
        yield name, number, get_args(kind)[0] if repeated else kind, repeated
