"""SECURITY.md names tests that exist and leaves no row of the standard out; and a few rules that hold for every file of ours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
OURS = ("sms_gateway", "actions", "bot", "policy_faq", "texts", "sealing")
LEVEL_2 = {
    "2.1": 12, "2.2": 4, "2.3": 3, "2.4": 5, "2.5": 7, "2.6": 3, "2.7": 6, "2.10": 3, "2.11": 4, "3.1": 1, "3.2": 4, "3.3": 4, "3.4": 5,
    "3.5": 3, "3.7": 1, "4.1": 6, "4.2": 5, "4.3": 3, "5.1": 5, "5.2": 8, "5.3": 10, "5.4": 3, "5.5": 4, "6.1": 3, "6.2": 4, "6.3": 2,
    "6.4": 2, "7.1": 5, "7.2": 2, "7.3": 3, "7.4": 3, "8.1": 4, "8.2": 3, "8.3": 9, "13.1": 5, "13.2": 6, "13.3": 2, "13.4": 2,
}  # fmt: skip
"""Rows of each section that are level 1 or 2 (OWASP ASVS 4.0.3), where they run from 1 without a gap."""
WITH_GAPS = {"2.8.1", "2.8.2", "2.8.4", "2.8.5", "2.9.1", "2.9.2", "2.9.4", "2.9.6"}
LAW = (
    "未保法 11",
    "网保条例 38",
    "个保法 36、37",
    "网保条例 35–37",
    "个保法 54",
    "个保法 55、56",
    "个保法 57",
    "网保条例 31",
    "未保法 63",
    "精卫法 28",
    "国办发",
)


def _tests(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 100
    gone = [f"{file}::{name}" for file, name in set(named) if not (ROOT / "tests" / file).is_file() or f"test_{name}" not in _tests(ROOT / "tests" / file)]  # fmt: skip
    assert gone == []


def test_every_row_of_the_standard_says_something() -> None:
    rows = dict(re.findall(r"^\| (\d+\.\d+\.\d+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))
    asked = {f"{section}.{number}" for section, last in LEVEL_2.items() for number in range(1, last + 1)} | WITH_GAPS
    assert asked - set(rows) == set()
    for row, said in rows.items():
        assert NAMED.search(said) or re.match(
            r"not met|n/a|held|as |argon2|by a person|section|`|AES|a random|broadcasts", said
        ), row


def test_every_law_has_its_row() -> None:
    section = PAGE.partition("## 3 Law")[2].partition("## 4")[0]
    assert [law for law in LAW if law not in section] == []


FORBIDDEN_CALLS = {"eval", "exec", "compile"}
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "xml.etree.ElementTree", "xml.dom.minidom", "lxml"}
SAFE_LOADERS = {"SafeLoader", "yaml.SafeLoader", "_StrictLoader"}
SECRET = re.compile(r"secret|signature|token|digest|csrf|password", re.IGNORECASE)


def _problems(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in FORBIDDEN_CALLS or name in ("os.system", "os.popen"):
                found.append(f"{node.lineno}: {name}")
            loader = next((ast.unparse(word.value) for word in node.keywords if word.arg == "Loader"), "")
            if name == "yaml.load" and loader not in SAFE_LOADERS:
                found.append(f"{node.lineno}: {name}")
            if any(word.arg == "shell" and ast.unparse(word.value) == "True" for word in node.keywords):
                found.append(f"{node.lineno}: shell")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            found += [f"{node.lineno}: {name}" for name in names if name in UNSAFE_MODULES]
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = [node.left, *node.comparators]
            plain = any(isinstance(side, ast.Constant) or _named(side) in NO_SECRETS for side in sides)
            found += [f"{node.lineno}: {ast.unparse(node)}"] if not plain and any(map(_is_secret, sides)) else []
    return found


def _named(side: ast.expr) -> str:
    return side.attr if isinstance(side, ast.Attribute) else side.id if isinstance(side, ast.Name) else ""


def _is_secret(side: ast.expr) -> bool:
    name = _named(side)
    return bool(SECRET.search(name)) and not re.search(r"hash|_id$|_at$|kind|of$", name)


IN_SQL = {"api_keys.py", "signin.py"}
"""Look-ups by SHA-256 of a random token in the database: what a clock could tell is the hash's, not the token's."""
NO_SECRETS = {"client_token", "again"}
"""A page's own mark of one reply, so that it goes out once; and a new password typed twice by the same person."""
AMONG_OURSELVES = {"apart.py"}
"""Pickle between the processes of an import: all ours, all with the same keys (SECURITY.md, row 5.5.3)."""
OF_FILES = {"verify.py", "chain.py", "sources.py", "attachments.py", "sealed_images.py", "bot_model.py"}
"""Digests of contents, compared to find a change; nobody guesses at them."""


def test_no_code_of_ours_runs_text_as_code_or_compares_a_secret_in_the_open() -> None:
    found: dict[str, list[str]] = {}
    for folder in OURS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            problems = _problems(ast.parse(path.read_text(encoding="utf-8")))
            if path.name in IN_SQL | OF_FILES:
                problems = [one for one in problems if "==" not in one and "!=" not in one]
            if path.name in AMONG_OURSELVES:
                problems = [one for one in problems if not one.endswith("pickle")]
            if problems:
                found[str(path.relative_to(ROOT))] = problems
    assert found == {}


def test_the_search_itself_finds_what_must_not_be() -> None:
    for code in (
        "eval(x)",
        "import pickle",
        "run(c, shell=True)",
        "given == self._secret",
        "signature != wanted",
        "yaml.load(x)",
    ):
        assert _problems(ast.parse(code)), code


EXPORTS = {"sms_gateway/tickets/export.py", "sms_gateway/console/outreach_file.py"}


def test_every_export_goes_through_the_guard_against_formulas() -> None:
    """Who writes rows of a spreadsheet does it by `tickets.export`; the one other file takes its `safe` for each cell."""
    writes = re.compile(r"csv\.writer|csv\.DictWriter|import xlsxwriter|from xlsxwriter|openpyxl|\.to_csv|write_csv")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "sms_gateway").rglob("*.py")
        if writes.search(path.read_text(encoding="utf-8"))
    }
    assert found == EXPORTS
    assert "made = safe(value)" in (ROOT / "sms_gateway/console/outreach_file.py").read_text(encoding="utf-8")
