"""Every verb of the table has its flow, deployment, row in the README and test, and nothing is called otherwise."""

import inspect
import re
import sys
from importlib import import_module, metadata, util
from typing import Any, get_type_hints

import prefect
import pytest
from prefect.flows import load_flow_from_entrypoint

from pawpaw_ops.models.lifecycle import VERBS, Verb
from tests.contract.support_project import ROOT, modules

each_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)


def entrypoint(verb: Verb) -> str:
    """Return the module path of a verb's flow."""
    return f"flows.{verb.flow.replace(':', '.')}"


def flow_of(verb: Verb) -> "prefect.Flow[Any, Any]":
    """Import a verb's flow."""
    module, _, function = verb.flow.partition(":")
    found = getattr(import_module(f"flows.{module}"), function)
    assert isinstance(found, prefect.Flow)
    return found


@each_verb
def test_a_verb_has_a_flow_of_its_name(verb: Verb) -> None:
    """File = verb, function = verb_object, and Prefect's name follows from the function."""
    flow = flow_of(verb)
    assert flow.name == verb.name == flow.fn.__name__.replace("_", "-")
    assert load_flow_from_entrypoint(entrypoint(verb)).name == verb.name


@each_verb
def test_a_verb_runs_without_parameters(verb: Verb) -> None:
    """The bare run is the safe, useful one."""
    parameters = inspect.signature(flow_of(verb).fn).parameters.values()
    assert [found.name for found in parameters if found.default is inspect.Parameter.empty] == []


@each_verb
def test_a_verb_waits_for_approval_unless_told(verb: Verb) -> None:
    """What the table says of approval is what the flow takes."""
    parameters = inspect.signature(flow_of(verb).fn).parameters
    assert ("approve" in parameters) == verb.approval
    assert not verb.approval or parameters["approve"].default is False


@each_verb
def test_a_verb_has_a_row_in_the_readme(verb: Verb) -> None:
    """With the words of the table in the code, so that the two cannot differ."""
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| `{verb.name}`")]
    assert len(rows) == 1
    assert [cell.strip() for cell in rows[0].strip("|").split("|")][1:] == [
        verb.does,
        verb.touches,
        verb.undone_by,
        verb.when,
    ]


@each_verb
def test_a_verb_is_tested(verb: Verb) -> None:
    """A test calls its flow or starts its deployment."""
    words = re.compile(rf"\b{verb.flow.partition(':')[2]}\(|\b{verb.name}/")
    tests = [path for path in modules("tests/unit", "tests/integration", "tests/e2e") if path.name.startswith("test_")]
    assert [path for path in tests if words.search((ROOT / path).read_text())]


@each_verb
def test_a_flow_tells_the_operator_what_it_does(verb: Verb) -> None:
    """Its docstring has a first sentence, says what it touches, and describes every parameter."""
    flow = flow_of(verb)
    doc = inspect.getdoc(flow.fn) or ""
    assert doc.splitlines()[0].endswith(".")
    assert "Touches:" in doc
    assert [name for name, schema in flow.parameters.properties.items() if not schema.get("description")] == []


@each_verb
def test_no_flow_takes_a_secret(verb: Verb) -> None:
    """Parameters are stored and shown in clear; secrets come from blocks by name."""
    hints = get_type_hints(flow_of(verb).fn, include_extras=True)
    assert [name for name, hint in hints.items() if "Secret" in repr(hint)] == []
    assert [name for name in hints if re.search(r"password|secret|token|key$|credential", name)] == []


def test_every_flow_is_a_verb_of_the_table() -> None:
    """No flow file is there that the table does not know."""
    found = {path.stem for path in modules("flows")} - {"__init__"}
    assert found == {verb.flow.partition(":")[0] for verb in VERBS}


@pytest.mark.parametrize("name", [path.stem for path in modules("flows") if path.stem != "__init__"])
def test_no_flow_file_hides_a_module(name: str) -> None:
    """Prefect may put `flows/` itself on the path; a file named like a module would then be imported in its place."""
    assert name not in sys.stdlib_module_names
    assert name not in metadata.packages_distributions()
    assert util.find_spec(name) is None
