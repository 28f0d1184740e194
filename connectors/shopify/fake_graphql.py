"""As much GraphQL as the fake needs: documents are parsed, and only fields that exist are answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'\s*(?:([A-Za-z_]\w*)|(-?\d+)|("(?:[^"\\]|\\.)*")|(\.\.\.|[{}()\[\]:!=$@]))')
CONSTANTS = {"true": True, "false": False, "null": None}

Args = dict[str, Any]


class Malformed(Exception):
    """What Shopify answers with `errors` and status 200: syntax, unknown fields, missing variables."""


@dataclass
class Field:
    """One field of a selection. A spread of a fragment is a field named "...Name"."""

    name: str
    args: Args = field(default_factory=dict)
    directives: dict[str, Args] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)


class Parser:
    """One document: an operation and its fragments."""

    def __init__(self, text: str, variables: Args) -> None:
        self._tokens: list[str] = []
        text, place = text.replace(",", " ").rstrip(), 0
        while place < len(text):
            found = TOKEN.match(text, place)
            if not found:
                raise Malformed("syntax error, unexpected character")
            self._tokens.append(found[0].strip())
            place = found.end()
        self._variables = variables
        self._declared: set[str] = set()
        self.fragments: dict[str, list[Field]] = {}

    def document(self) -> list[Field]:
        """The operation's own fields."""
        operation: list[Field] | None = None
        while self._tokens:
            word = self._next()
            if word == "fragment":
                name = self._next()
                self._expect("on")
                self._next()
                self.fragments[name] = self._selection()
            elif word in ("query", "mutation"):
                self._next()
                self._declarations()
                operation = self._selection()
            else:
                raise Malformed(f"syntax error, unexpected {word}")
        if operation is None:
            raise Malformed("No operation in the document.")
        return operation

    def _declarations(self) -> None:
        if self._tokens[:1] != ["("]:
            return
        self._next()
        while (word := self._next()) != ")":
            if word != "$":
                continue
            name = self._next()
            self._declared.add(name)
            self._expect(":")
            kind = self._next()
            if self._tokens[0] == "!" and self._variables.get(name) is None:
                raise Malformed(f"Variable ${name} of type {kind}! was provided invalid value")

    def _selection(self) -> list[Field]:
        self._expect("{")
        fields = []
        while (word := self._next()) != "}":
            if word == "...":
                fields.append(Field(f"...{self._next()}"))
                continue
            made = Field(word)
            if self._tokens[0] == "(":
                made.args = self._args()
            while self._tokens[0] == "@":
                self._next()
                name = self._next()
                made.directives[name] = self._args()
            if self._tokens[0] == "{":
                made.fields = self._selection()
            fields.append(made)
        return fields

    def _args(self) -> Args:
        self._expect("(")
        args: Args = {}
        while (name := self._next()) != ")":
            self._expect(":")
            args[name] = self._value()
        return args

    def _value(self) -> Any:
        word = self._next()
        if word == "$":
            name = self._next()
            if name not in self._declared:
                raise Malformed(f"Variable ${name} is used but not declared")
            return self._variables.get(name)
        if word == "{":
            made: Args = {}
            while (name := self._next()) != "}":
                self._expect(":")
                made[name] = self._value()
            return made
        if word == "[":
            values = []
            while self._tokens[0] != "]":
                values.append(self._value())
            self._next()
            return values
        if word.startswith('"'):
            return word[1:-1].replace('\\"', '"')
        return int(word) if word.lstrip("-").isdecimal() else CONSTANTS.get(word, word)

    def _expect(self, wanted: str) -> None:
        if self._next() != wanted:
            raise Malformed(f"syntax error, expected {wanted}")

    def _next(self) -> str:
        if not self._tokens:
            raise Malformed("syntax error, unexpected end of file")
        return self._tokens.pop(0)


def answer(
    roots: Mapping[str, Callable[[Args, dict[str, Args]], Any]], text: str, variables: Args
) -> dict[str, Any]:
    """Run an operation over root functions of (arguments, directives)."""
    parser = Parser(text, variables)
    data = {}
    for asked in parser.document():
        if asked.name not in roots:
            raise Malformed(f"Field '{asked.name}' doesn't exist on type 'QueryRoot'")
        data[asked.name] = shown(roots[asked.name](asked.args, asked.directives), asked, parser.fragments)
    return data


def shown(value: Any, asked: Field, fragments: dict[str, list[Field]]) -> Any:
    """What a selection shows of a value. A dictionary's functions are fields that take arguments."""
    if isinstance(value, list):
        return [shown(item, asked, fragments) for item in value]
    if not isinstance(value, dict):
        if asked.fields and value is not None:
            raise Malformed(f"Selections can't be made on scalars (field '{asked.name}')")
        return value
    if not asked.fields:
        raise Malformed(f"Field must have selections (field '{asked.name}')")
    found: dict[str, Any] = {}
    for inner in asked.fields:
        if inner.name.startswith("..."):
            spread = Field(asked.name, fields=fragments[inner.name[3:]])
            found |= shown(value, spread, fragments)
            continue
        if inner.name not in value:
            raise Malformed(f"Field '{inner.name}' doesn't exist under '{asked.name}'")
        made = value[inner.name]
        found[inner.name] = shown(made(inner.args) if callable(made) else made, inner, fragments)
    return found
