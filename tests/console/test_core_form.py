"""A domain's own settings as a form: each is in it once, and comes back as it was."""

from gatepost.console import core_form
from gatepost.console.forms import changed
from gatepost.console.text import catalogue, languages
from gatepost.policy.settings import SETTINGS


def test_every_setting_has_its_place() -> None:
    """No setting is missing, none stands twice; the route and the bypass have forms of their own."""
    keys = core_form.shown_keys()

    assert len(keys) == len(set(keys))
    assert SETTINGS.keys() == {*keys, "route", "bypass"}
    assert SETTINGS.keys() == core_form.LABELS.keys()
    assert list(keys) == [
        one.name for group in core_form.groups(core_form.fields_of({})) for one in group.fields
    ]


def test_kinds() -> None:
    """The kind of input follows from what the setting may be."""
    kinds = {key: core_form.kind_of(setting) for key, setting in SETTINGS.items()}

    assert ("lines", "choice", "words", "number", "flag") == tuple(
        kinds[key] for key in ("route", "recipients", "score.reject_at", "keep_days", "subjects")
    )


def test_defaults_come_back() -> None:
    """The form as it is shown, sent, changes nothing; what is wrong is told at its field."""
    values = {key: (setting.default, "default") for key, setting in SETTINGS.items()}
    form = {one.name: one.text for one in core_form.fields_of(values)}
    done = core_form.read(form)

    assert {} == done.faults
    assert {} == changed(values, done.values)
    assert {"keep_days"} == core_form.read(form | {"keep_days": "many"}).faults.keys()
    (field,) = core_form.fields_of(values, {"keep_days": "no"}, {"keep_days": "many"}, ["keep_days"])
    assert ("many", "no") == (field.text, field.fault)


def test_sentences_are_translated() -> None:
    """What a setting is for stands in each language."""
    for language in languages()[1:]:
        known = vars(catalogue(language))["_catalog"]
        assert [] == [one.sentence for one in SETTINGS.values() if not known.get(one.sentence)], language


def test_which_groups_are_seen() -> None:
    """A group knows that somebody set something in it, and that something in it is wrong."""
    values = {"keep_days": (7, "domain"), "digest": ("daily", "all"), "preset": ("usual", "default")}
    found = core_form.groups(core_form.fields_of(values, {"recipients": "no"}))
    assert [("Keeping", False), ("Digest", False)] == [
        (one.title, one.faulty) for one in found if one.differs
    ]
    assert ["Recipients and delivery"] == [one.title for one in found if one.faulty]
