"""The rules of the house that a machine can check: who imports whom, and how long things get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("connectors", "restream", "hub")
FILE_LINES = 400
FUNCTION_LINES = 60

BOUNDARY = {
    f"connectors.{name}"
    for name in (
        "base",
        "capabilities",
        "session",
        "types",
        "errors",
        "http",
        "oauth",
        "fakes",
        "conversions",
    )
}
FOR_HUB_ALONE = {"fastapi", "sqlmodel", "sqlalchemy", "asyncpg", "nats", "procrastinate"}
MAY_START_PROCESSES = {
    "hub/engines/process.py",
    "restream/encode/process.py",
    "hub/doctor.py",  # asks three programs for their version
}
MAY_MAKE_HTTP_CLIENTS = {
    "connectors/http.py",
    "restream/client.py",  # the worker's control API, on loopback
    "hub/demo/http.py",  # plays the outside world
    "restream/targets/door.py",  # asks a platform for its answer to a WHIP offer
    "restream/receiver.py",  # plays a platform's ingest and asks its platform about keys
}
COUNTED = {"Stock", "StockAt", "StockMovement"}
"""Tables that `hub/stock` alone writes: the counters and their ledger."""
EMPTY_SHELF = {"variant_id", "brand_id"}
"""What others may say of a new row of `Stock`: whose it is. It has nothing on it."""
MAY_COUNT_AS_IF = {"hub/catalog/bundles.py"}  # a bundle's counters, for lists; never saved
NAMES_STOCK = re.compile(r"stock_movement|\bstock\b|\bStock|on_hand|\.held\b|\.committed\b")
WRITES_STOCK = re.compile(
    r"""
    \b(?:INSERT\s+INTO|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO|COPY|UPDATE)\s+(?:ONLY\s+)?
    (?:public\.)?"?(?:stock|stock_at|stock_movement)"?(?![\w."])
    """,
    re.VERBOSE,  # as statements are written here: English sentences about stock are none
)


@cache
def sources() -> Sequence[tuple[str, ast.Module]]:
    """Every Python file of the product."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in paths]


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module a file imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def calls() -> Sequence[tuple[str, str]]:
    """Every dotted name that is called, and the file it is called in."""
    return [
        (file, dotted(node.func))
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


def dotted(called: ast.expr) -> str:
    """The name of what is called; where it is a value's, as in `f().close()`, it begins with the dot."""
    parts: list[str] = []
    while isinstance(called, ast.Attribute):
        parts.append(called.attr)
        called = called.value
    parts.append(called.id if isinstance(called, ast.Name) else "")
    return ".".join(reversed(parts))


def forbidden(file: str, module: str) -> str | None:
    """Why a file may not import a module, or None."""
    package, top = file.split("/")[0], module.split(".")[0]
    if package in ("connectors", "restream"):
        if top in PACKAGES and top != package:
            return f"{package} is a leaf"
        if top in FOR_HUB_ALONE:
            return f"{top} belongs to the hub"
    if package == "connectors" and top == "connectors" and file.count("/") >= 2:
        own = "connectors." + file.split("/")[1]
        if module != "connectors" and not any(
            module == ok or module.startswith(ok + ".") for ok in {own, *BOUNDARY}
        ):
            return "a connector knows only itself and the boundary"
    through = ("restream.client", "restream.api")
    if package == "hub" and top == "restream" and module != "restream" and not module.startswith(through):
        return "the hub speaks to media workers through restream.client and restream.api only"
    return None


def test_nobody_imports_what_they_must_not() -> None:
    broken = [
        f"{file} imports {module}: {why}"
        for file, tree in sources()
        for module in imports(tree)
        if (why := forbidden(file, module))
    ]
    assert not broken, "\n".join(broken)


def test_planted_violations_are_found() -> None:
    assert forbidden("restream/live.py", "hub.db")
    assert forbidden("restream/live.py", "connectors.http")
    assert forbidden("connectors/twitch/chat.py", "connectors.youtube.api")
    assert forbidden("connectors/twitch/chat.py", "fastapi")
    assert forbidden("hub/shows/service.py", "restream.live")
    assert not forbidden("connectors/twitch/chat.py", "connectors.twitch.api")
    assert not forbidden("connectors/twitch/chat.py", "connectors.http")
    assert not forbidden("hub/shows/service.py", "restream.client")


def test_processes_start_in_one_place_and_the_doctor() -> None:
    starters = (
        "create_subprocess_exec",
        "create_subprocess_shell",
        "subprocess.run",
        "subprocess.Popen",
        "os.fork",
    )
    found = {file for file, name in calls() if name.endswith(starters)}
    assert found == MAY_START_PROCESSES


def test_http_clients_are_made_in_few_places() -> None:
    clients = ("httpx.AsyncClient", "httpx.Client", "aiohttp.ClientSession")
    found = {file for file, name in calls() if name in clients}
    assert found == MAY_MAKE_HTTP_CLIENTS


def test_only_the_database_room_commits() -> None:
    found = {file for file, name in calls() if name.endswith(".commit")}
    assert found <= {"hub/db.py", "hub/migrate.py"}


def writes_of_stock(file: str, tree: ast.Module) -> Iterator[str]:
    """Where a file writes counters of stock or their ledger: as SQL, by the models, or in a loaded row."""
    tables = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("hub.stock.models", "hub.models")
        for alias in node.names
        if alias.name in COUNTED
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if found := WRITES_STOCK.search(node.value):
                yield f"{file}:{node.lineno} {found[0]}"
        elif isinstance(node, ast.Call):
            called = dotted(node.func)
            given = {dotted(one) for one in node.args}
            if called.rpartition(".")[2] in ("insert", "update", "delete") and given & tables:
                yield f"{file}:{node.lineno} {called}({', '.join(sorted(given))})"
            elif called in tables and file not in MAY_COUNT_AS_IF:
                named = {keyword.arg for keyword in node.keywords}
                if called != "Stock" or node.args or not named <= EMPTY_SHELF:
                    yield f"{file}:{node.lineno} {called}(…)"
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for one in targets:
                if isinstance(one, ast.Attribute) and one.attr in ("on_hand", "held", "committed"):
                    yield f"{file}:{node.lineno} {dotted(one)} is set"


def test_only_the_stock_room_writes_stock_and_its_ledger() -> None:
    elsewhere, inside = list[str](), list[str]()
    for file, tree in sources():
        # Most files never name it, and to walk through them all takes seconds.
        if "/migrations/" not in file and NAMES_STOCK.search((ROOT / file).read_text()):
            (inside if file.startswith("hub/stock/") else elsewhere).extend(writes_of_stock(file, tree))
    assert not elsewhere, "\n".join(elsewhere)
    # The search finds what there is.
    assert {one.split(":")[0] for one in inside} >= {"hub/stock/changes.py", "hub/stock/statements.py"}


def test_planted_writes_of_stock_are_found() -> None:
    begin = "from hub.stock.models import Stock, StockMovement\n"
    for planted in (
        'GIVE = "UPDATE stock SET held = 0"',
        'GIVE = f"""WITH a AS (INSERT INTO stock_movement (id) SELECT {one})"""',
        'GIVE = "DELETE FROM \\"stock\\""',
        "session.add(StockMovement(kind='receive'))",
        "session.add(Stock(variant_id=one, brand_id=two, on_hand=5))",
        "update(Stock).values(held=0)",
        "sa.delete(StockMovement)",
        "row.on_hand += 1",
    ):
        assert [*writes_of_stock("hub/orders/service.py", ast.parse(begin + planted))], planted
    for innocent in (
        'READ = "SELECT held FROM stock WHERE id = 1 FOR UPDATE"',
        'WHY = "UPDATE stock_place SET name = 1"',
        "Stock(variant_id=one, brand_id=two)",
        "platform.Stock(listing=one, quantity=2)",
        "select(Stock)",
    ):
        assert not [*writes_of_stock("hub/orders/service.py", ast.parse(begin + innocent))], innocent


def test_nothing_happens_at_import() -> None:
    """Module level holds definitions and constants; a bare call there is work or a side effect."""
    broken = []
    for file, tree in sources():
        if file.endswith("__main__.py") or "/migrations/" in file:
            continue
        for node in tree.body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                broken.append(f"{file}:{node.lineno}")
            if isinstance(node, ast.For | ast.While | ast.With | ast.Global):
                broken.append(f"{file}:{node.lineno}")
    assert not broken, broken


def test_files_and_functions_can_be_read_in_one_sitting() -> None:
    long = []
    for file, tree in sources():
        lines = (ROOT / file).read_text().count("\n")
        if lines > FILE_LINES:
            long.append(f"{file}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES:
                    long.append(f"{file}:{node.lineno} {node.name}: {length} lines")
    assert not long, "\n".join(long)


def test_every_module_says_what_it_is_for() -> None:
    silent = [file for file, tree in sources() if tree.body and not ast.get_docstring(tree)]
    assert not silent, silent
