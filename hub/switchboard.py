"""Which route answers: looked up by the first words of the address, not by trying some three hundred in turn.

Only whole matches are taken here; wrong methods, slashes too many and unknown addresses go the router's usual
way, and so does everything that is not HTTP.
"""

from __future__ import annotations

from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send


class Switchboard:
    """In front of a router that has all its routes."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._usual = router.middleware_stack
        paths = [(route, str(getattr(route, "path", ""))) for route in router.routes]
        # What may match in any group is tried in all of them, in the order in which it stands.
        names = {group_of(path) for _, path in paths if is_fixed(path)}
        self._groups = {name: [route for route, path in paths if may_be_in(name, path)] for name in names}
        self._elsewhere: list[BaseRoute] = [route for route, path in paths if not is_fixed(path)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        found = self.found(scope) if scope["type"] == "http" else None
        if found is None:
            await self._usual(scope, receive, send)
            return
        route, more = found
        scope.setdefault("router", self._router)
        scope.update(more)
        await route.handle(scope, receive, send)

    def found(self, scope: Scope) -> tuple[BaseRoute, Scope] | None:
        """The first route that matches whole, and what the match adds to the scope."""
        for route in self._groups.get(group_of(scope["path"]), self._elsewhere):
            match, more = route.matches(scope)
            if match is Match.FULL:
                return route, more
        return None


def group_of(path: str) -> str:
    """The first word of an address; of the API, also what it is about."""
    words = path.split("/", 5)
    if words[1:2] != ["api"]:
        return "/".join(words[:2])
    return "/".join(words[: 5 if words[3:4] == ["public"] else 4])


def is_fixed(path: str) -> bool:
    """Whether all that the template matches is in one group."""
    name = group_of(path)
    return bool(name) and "{" not in name


def may_be_in(name: str, path: str) -> bool:
    """Whether the template may match an address of that group."""
    return not is_fixed(path) or group_of(path) == name
