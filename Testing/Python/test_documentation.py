"""Every page's links lead somewhere, and what code cites of the method is there, on the line that computes it."""

import ast
import io
import re
import shlex
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTATION = ROOT / "Resources" / "Documentation"
PAGES = sorted([*ROOT.glob("*.md"), *DOCUMENTATION.glob("*.md")])
METHOD = DOCUMENTATION / "method.md"
LIBRARY = sorted((ROOT / "PulsarCAMLib").rglob("*.py"))
TESTS = sorted((ROOT / "Testing").rglob("*.py"))

EQUATIONS = {
    "paper Eq. 1": ("weights", "masked"),
    "paper Eq. 2": ("gradient", "mean"),
    "paper Eq. 3": ("alpha", "relu", "gradient", "sum"),
    "paper Eq. 4": ("/",),
    "paper Eq. 5": ("gradient", "masked", "sum"),
    "joint loss (": ("total",),
    "joint loss, term 1": ("binary_cross_entropy",),
    "joint loss, term 2": ("1 -",),
    "joint loss, term 3": ("features", "1 - cells", "mean"),
    "joint loss, term 4": ("binary_cross_entropy_with_logits",),
}
"""Tags of the paper's equations, and words of a line that computes one; shorter words where several lines do."""


def without_code(text):
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(page):
    """Names of a page's headings as GitHub makes them."""
    found = []
    for heading in re.findall(r"^#+ (.*?) *$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.append(name if name not in found else f"{name}-{found.count(name)}")
    return found


def links(page):
    return re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", without_code(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_of_a_page_lead_somewhere(page):
    broken = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


COMMAND = re.compile(r"^(?: {4})?(?:\.venv/bin/)?pulsarcam (.*)$", re.MULTILINE)


def test_the_command_line_understands_every_command_that_a_page_shows(capsys):
    from PulsarCAMLib.cli.learning import system_named
    from PulsarCAMLib.cli.parser import make_parser

    shown = [command for page in PAGES for command in COMMAND.findall(page.read_text(encoding="utf-8"))]
    assert len(shown) >= 30
    refused = []
    for command in shown:
        try:
            words = shlex.split(command, comments=True)
            make_parser(system_named(words)).parse_args(words)
        except SystemExit:
            refused.append((command, capsys.readouterr().err))
    assert refused == []


@pytest.mark.parametrize("page", sorted(DOCUMENTATION.glob("*.md")), ids=lambda page: page.name)
def test_a_page_of_the_documentation_is_found_from_the_readme(page):
    assert f"Resources/Documentation/{page.name}" in [link.partition("#")[0] for link in links(ROOT / "README.md")]


def tagged(tag):
    """Lines of the library on which ``tag`` stands behind code, and how often it stands anywhere."""
    lines, everywhere = [], 0
    for file in LIBRARY:
        text = file.read_text(encoding="utf-8")
        everywhere += text.count(tag)
        if tag not in text:
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            code = token.line[: token.start[1]].strip()
            if token.type == tokenize.COMMENT and tag in token.string and code:
                lines.append(code)
    return lines, everywhere


@pytest.mark.parametrize("tag", EQUATIONS)
def test_a_search_for_an_equation_of_the_paper_ends_at_the_line_that_computes_it(tag):
    lines, everywhere = tagged(tag)
    assert lines
    assert len(lines) == everywhere, "the tag also stands where nothing is computed"
    assert [line for line in lines if not all(word in line for word in EQUATIONS[tag])] == []


def test_equations_are_cited_in_one_way():
    numbered = [line for file in LIBRARY for line in file.read_text(encoding="utf-8").splitlines() if "Eq. " in line]
    assert [line for line in numbered if not re.search(r"# .*paper Eq\. [1-5]", line)] == []


def sections():
    return set(re.findall(r"^#+ (\d+(?:\.\d+)?)\b", METHOD.read_text(encoding="utf-8"), re.MULTILINE))


def cited(pattern):
    """What ``pattern`` finds in code, tests and pages, each with the files it is in."""
    found = {}
    for file in [*LIBRARY, *TESTS, *PAGES]:
        for text in re.findall(pattern, file.read_text(encoding="utf-8")):
            for number in re.findall(r"\d+(?:\.\d+)?", text):
                found.setdefault(number, set()).add(file.name)
    return found


def test_every_section_of_the_method_that_is_cited_exists():
    found = cited(r"method\.md (\d+(?:\.\d+)?(?:(?:, | and )\d+\.\d+)*)")
    assert {"1.3", "2.1", "2.2", "2.3"} <= set(found)
    assert {number: files for number, files in found.items() if number not in sections()} == {}


def test_every_reading_that_is_cited_exists():
    rows = set(re.findall(r"^\| (\d+) \|", METHOD.read_text(encoding="utf-8"), re.MULTILINE))
    found = cited(r"\breadings? (\d+(?:(?:, | to | and )\d+)*)")
    assert len(found) >= 10
    assert {number: files for number, files in found.items() if number not in rows} == {}


def test_no_notes_from_outside_the_repository_are_cited():
    outside = re.compile("paper" + "-notes|field" + "-notes|model" + "-codebases|slicer" + "-conventions")
    assert [file.name for file in [*LIBRARY, *TESTS, *PAGES] if outside.search(file.read_text(encoding="utf-8"))] == []


def recipes():
    """(recipe, file, name) of every bullet under the recipes."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Recipes", 1)[1].split("\n## ", 1)[0]
    for part in text.split("\n### ")[1:]:
        for file, name in re.findall(r"^- `([^`]+)`: `([^`]+)`", part, re.MULTILINE):
            yield part.splitlines()[0], file, name


@pytest.mark.parametrize(("recipe", "file", "name"), list(recipes()))
def test_what_a_recipe_names_is_there(recipe, file, name):
    assert name in (ROOT / file).read_text(encoding="utf-8")


def test_a_system_in_one_file_reaches_the_command_as_the_recipe_says(monkeypatch, capsys):
    from PulsarCAMLib.systems.registry import unregister

    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("### Add a system", 1)[1]
    script = text.split("```python\n", 1)[1].split("```", 1)[0]
    monkeypatch.setattr("sys.argv", ["mine.py", "cohort", "columns", "--system", "stranger"])
    try:
        with pytest.raises(SystemExit) as end:
            exec(script, {})
    finally:
        unregister("stranger")
    assert end.value.code == 0
    assert "  flair " in capsys.readouterr().out


def test_there_are_recipes_for_what_is_added_most():
    named = {recipe for recipe, _, _ in recipes()}
    assert {f"Add a{n}" for n in (" system", " map method", "n input", "n output", " metric", " panel option")} <= named


ROLE = re.compile(r":(?:mod|func|class|meth|data|attr|exc):`~?([^`]+)`")


def references(file):
    """What the docstrings of a file refer to by a dotted path: from the library on, or relative as its imports are."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for target in ROLE.findall(node.value):
                if target.startswith(("PulsarCAMLib", ".")):
                    yield target


def defined(file):
    """Names that a file's top level binds, and ``Class.member`` of its classes."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        names |= bound(node)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{member}" for inner in node.body for member in bound(inner)}
    return names


def bound(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    return set()


def leads_somewhere(target, file):
    """Whether a reference names a room, a file, or something that this file's top level or one of its classes has."""
    dots = len(target) - len(target.lstrip("."))
    start = file.parents[dots - 1] if dots else ROOT
    parts = target.lstrip(".").split(".")
    for count in range(len(parts), -1, -1):
        place = start.joinpath(*parts[:count])
        for found in (place / "__init__.py", place.with_suffix(".py")):
            if found.is_file():
                rest = ".".join(parts[count:])
                return not rest or rest in defined(found)
    return False


def test_what_docstrings_refer_to_is_there():
    """By files and syntax alone, for rooms beside the desktop cannot be imported without Slicer."""
    found = [(file, target) for file in LIBRARY for target in references(file)]
    assert len(found) >= 150
    assert [(str(file.relative_to(ROOT)), target) for file, target in found if not leads_somewhere(target, file)] == []


NAMED = re.compile(r"(?<![\w/.<])(?:PulsarCAMLib|Testing)/[\w./*-]*\w")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8")
    assert [name for name in NAMED.findall(text) if not [*ROOT.glob(name)]] == []


def test_the_new_places_of_what_a_script_imported_are_there():
    table = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("| 0.1.0 | now |", 1)[1].split("\n\n", 1)[0]
    places = [name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[2])]
    assert len(places) >= 40
    of_the_library = [name for name in places if not name.startswith("result.")]
    assert [name for name in of_the_library if not leads_somewhere(f"PulsarCAMLib.{name}", METHOD)] == []
