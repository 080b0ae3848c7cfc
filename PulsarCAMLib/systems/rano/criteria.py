"""Response categories by published criteria, from what is known of a patient's visits; the rule that decided is told.

RANO 2010: Wen et al., "Updated response assessment criteria for high-grade gliomas", J Clin Oncol 28:1963-1972 (2010).
RANO 2.0: Wen et al., "RANO 2.0: update to the response assessment in neuro-oncology criteria for high- and low-grade
gliomas in adults", J Clin Oncol 41:5187-5199 (2023). Limits of volumes as RANO 2.0 gives them (those of equal spheres;
Ellingson et al., Neurotherapeutics 14:307-320, 2017); 2010 has products only, so "on volumes" its other rules are kept.

What is not known is None and is never taken for "no". These rules have nothing to do with the 20 % volume rule of the
lesion system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

CR, PR, SD, PD = "CR", "PR", "SD", "PD"
CATEGORIES = (CR, PR, SD, PD)

IMPROVED, STABLE, WORSE = "improved", "stable", "worse"
CHANGES = (IMPROVED, STABLE, WORSE)

PRODUCTS, VOLUMES = "products", "volumes"

MEASURABLE_MM = 10.0
"""Both perpendicular diameters of a measurable lesion are at least this long."""

CONFIRMED_DAYS = 28
"""A response lasts at least four weeks, or it counts as stable disease (Wen 2010, Table 4 and text)."""

PSEUDO_WEEKS = 12.0
"""In the first twelve weeks after radiotherapy growth inside the field may be pseudoprogression (both papers)."""

EXACTLY = 1e-9
"""Relative difference up to which a size is exactly at a limit: exactly 25 % more is progression."""


@dataclass(frozen=True)
class Rule:
    """One named rule.

    Attributes:
        name: in options and tables.
        title: for people.
        source: the paper.
        size: :data:`PRODUCTS` (sum of products of perpendicular diameters) or :data:`VOLUMES`.
        shrunk: partial response: share of the baseline's size that is left at most.
        grown: progression: times the nadir's size at least.
        t2_counts: whether T2/FLAIR takes part; in RANO 2.0 not for enhancing tumours.
        after_radiotherapy: whether the first scan after radiotherapy is the baseline of what follows.
        imaging_only: by measurements and whatever else is known, without asking for the rest: what a central reading
            of images gives; else a category needs every fact that the criteria name.
    """

    name: str
    title: str
    source: str
    size: str
    shrunk: float
    grown: float
    t2_counts: bool
    after_radiotherapy: bool
    imaging_only: bool = False


def _rules() -> Iterator[Rule]:
    versions = {
        "2.0": ("RANO 2.0", "Wen et al., J Clin Oncol 2023", False, True),
        "2010": ("RANO 2010", "Wen et al., J Clin Oncol 2010", True, False),
    }
    sizes = ((PRODUCTS, "", 0.5, 1.25), (VOLUMES, "-volumes", 0.35, 1.4))
    for version, (title, source, t2, after) in versions.items():
        for size, ending, shrunk, grown in sizes:
            whole = Rule(f"rano-{version}{ending}", f"{title} by {size}", source, size, shrunk, grown, t2, after)
            yield whole
            yield replace(
                whole, name=f"imaging-{version}{ending}", title=f"{whole.title}, images only", imaging_only=True
            )


RULES: Mapping[str, Rule] = {rule.name: rule for rule in sorted(_rules(), key=lambda rule: not rule.imaging_only)}
"""By name; "imaging-..." ones first, for they need nothing but segmentations."""

USUAL = "imaging-2.0"


@dataclass(frozen=True)
class Visit:
    """What is known of one time point; None: not known.

    Attributes:
        product_mm2: sum of the products of perpendicular diameters of the target lesions; 0 where they are gone.
        volume_cm3: of all enhancing tumour.
        measurable: whether a lesion has two perpendicular diameters of at least 10 mm.
        gone: whether no enhancing tumour is left, measurable or not.
        new_lesion: since the baseline.
        nonmeasurable_worse: unequivocal progression of disease that is not measurable.
        t2_flair: T2/FLAIR of tumour that does not enhance, against the baseline: one of :data:`CHANGES`.
        steroids_mg: dose in mg of dexamethasone a day; 0 also for replacement doses only.
        clinical: status against the baseline, one of :data:`CHANGES`; "worse" for no other cause than the tumour.
        surgery: the tumour was operated on since the visit before.
        radiotherapy: this is the first scan after radiotherapy.
        baseline: the scan that what follows is compared with, by word of who knows.
        weeks_after_radiotherapy: time since its end.
        outside_field: what is new lies outside of the radiation field.
        confirmed: a scan four weeks later or more has borne out what this one shows.
        day: of the scan, counted from any day.
    """

    product_mm2: float | None = None
    volume_cm3: float | None = None
    measurable: bool | None = None
    gone: bool | None = None
    new_lesion: bool | None = None
    nonmeasurable_worse: bool | None = None
    t2_flair: str | None = None
    steroids_mg: float | None = None
    clinical: str | None = None
    surgery: bool | None = None
    radiotherapy: bool | None = None
    baseline: bool | None = None
    weeks_after_radiotherapy: float | None = None
    outside_field: bool | None = None
    confirmed: bool | None = None
    day: int | None = None

    def size(self, rule: Rule) -> float | None:
        """What the rule compares, in mm2 or cm3."""
        return self.product_mm2 if rule.size == PRODUCTS else self.volume_cm3


@dataclass(frozen=True)
class Assessment:
    """What a rule says of one visit.

    Attributes:
        category: one of :data:`CATEGORIES`; None: it cannot be told.
        why: the rule that decided, or what it lacks, in words.
        baseline, nadir: numbers of the visits that were compared with; None: there is none.
        size: of this visit, in mm2 or cm3.
        confirmed: of a response, by a later scan; None: not known.
        unknown: facts that the criteria ask for and that are not known, in words.
    """

    category: str | None
    why: str
    baseline: int | None = None
    nadir: int | None = None
    size: float | None = None
    confirmed: bool | None = None
    unknown: tuple[str, ...] = ()


def assess(visits: Sequence[Visit], number: int, rule: Rule) -> Assessment:
    """The category of one visit.

    Args:
        visits: of one patient in their order; later ones only serve to confirm a response.
        number: of the visit in ``visits``.
        rule: one of :data:`RULES`.
    """
    found = _by_size_and_facts(visits, number, rule)
    if found.category not in (CR, PR):
        return found
    confirmed = _confirmed(visits, number, rule, found.category)
    if confirmed is False:
        why = f"{found.why}; but the scan that had to confirm it after four weeks did not, so it counts as stable"
        return replace(found, category=SD, why=why, confirmed=False)
    return replace(found, confirmed=confirmed)


def assess_all(visits: Sequence[Visit], rule: Rule) -> list[Assessment]:
    """:func:`assess` of every visit."""
    return [assess(visits, number, rule) for number in range(len(visits))]


@dataclass(frozen=True)
class _Compared:
    """A visit with what it is compared with."""

    rule: Rule
    visit: Visit
    base: Visit
    low: Visit
    size: float
    first: float
    least: float
    nadir: int

    @property
    def now(self) -> str:
        """The sizes in words."""
        what, unit = ("sum of products", "mm²") if self.rule.size == PRODUCTS else ("volume", "cm³")
        return f"the {what} is {self.size:.4g} {unit}"

    def against(self, reference: float, name: str) -> str:
        """How much more or less than a reference, in words."""
        if not reference:
            return f"after 0 at the {name}"
        share = self.size / reference - 1
        return f"{abs(share):.0%} {'above' if share > 0 else 'below'} the {name} ({reference:.4g})"


def _by_size_and_facts(visits: Sequence[Visit], number: int, rule: Rule) -> Assessment:
    start = _start(visits, number, rule)
    visit, base = visits[number], visits[start]
    size, first = visit.size(rule), base.size(rule)
    if start == number:
        return Assessment(None, _baseline_words(visit, number, rule), size=size)
    known = [(value, n) for n in range(start, number) if (value := visits[n].size(rule)) is not None]
    if first is None:
        return Assessment(None, f"the baseline (visit {start + 1}) was not measured", start, size=size)
    least, nadir = min(known)
    by_fact = _progression_by_fact(visit, rule)
    if by_fact:
        return Assessment(PD, by_fact, start, nadir, size)
    if size is None:
        return Assessment(None, "the tumour was not measured on this scan", start, nadir)
    compared = _Compared(rule, visit, base, visits[nadir], size, first, least, nadir)
    category, why, unknown = _decide(compared)
    return Assessment(category, why, start, nadir, size, unknown=unknown)


def _start(visits: Sequence[Visit], number: int, rule: Rule) -> int:
    """The visit that is the baseline of another: surgery, radiotherapy (RANO 2.0) and a word of people begin anew."""
    anew = (
        n
        for n in range(number, 0, -1)
        if visits[n].surgery or visits[n].baseline or (rule.after_radiotherapy and visits[n].radiotherapy)
    )
    return next(anew, 0)


def _baseline_words(visit: Visit, number: int, rule: Rule) -> str:
    if visit.surgery and number:
        return "the tumour was operated on since the visit before: this scan is a new baseline"
    if visit.radiotherapy and rule.after_radiotherapy:
        return "this is the first scan after radiotherapy: the baseline of what follows"
    return "this scan is the baseline of what follows"


def _progression_by_fact(visit: Visit, rule: Rule) -> str:
    """Progression that needs no measurement, in words; empty: none is known."""
    if visit.new_lesion and not (_early(visit) and not visit.outside_field):
        return "there is a new lesion"
    if visit.nonmeasurable_worse:
        return "disease that cannot be measured has clearly progressed"
    if visit.clinical == WORSE:
        return "the patient is clinically worse, for no other cause than the tumour"
    return ""


def _early(visit: Visit) -> bool:
    weeks = visit.weeks_after_radiotherapy
    return weeks is not None and weeks < PSEUDO_WEEKS


def _decide(at: _Compared) -> tuple[str | None, str, tuple[str, ...]]:
    """Category, why, and what is not known."""
    if at.rule.t2_counts and at.visit.t2_flair == WORSE:
        if not _less_steroids(at.visit, at.base):
            return PD, "T2/FLAIR has significantly increased on steroids that were not reduced", ()
        return None, "T2/FLAIR has increased, but steroids were reduced: the next scan decides", ()
    if _has_grown(at):
        return _growth(at)
    if at.visit.new_lesion:
        return None, _may_be_pseudo("what is new inside the radiation field"), ()
    for category, fits, why in _answers(at):
        if fits:
            lacking = tuple(_unknown(at, category))
            if lacking and not at.rule.imaging_only:
                return None, f"{why}, but {_listed(lacking)} not known", lacking
            return category, why, lacking
    return None, (
        "the dose of steroids went up without progression: neither stable nor progressive until it is back at the "
        "baseline's, or the patient is clinically worse"
    ), ()  # fmt: skip


def _has_grown(at: _Compared) -> bool:
    """By as much as progression needs, to something that can be measured."""
    if at.visit.measurable is False or not at.size:
        return False
    return at.least == 0 or at.size >= at.rule.grown * at.least * (1 - EXACTLY)


def _growth(at: _Compared) -> tuple[str | None, str, tuple[str, ...]]:
    why = f"{at.now}, {at.against(at.least, f'nadir, visit {at.nadir + 1}')}"
    lacking = ("whether it can be measured (10 x 10 mm)",) if at.visit.measurable is None else ()
    if lacking and not at.rule.imaging_only:
        return None, f"{why}, but {_listed(lacking)} not known", lacking
    if _early(at.visit) and at.visit.confirmed is not True and not at.visit.outside_field:
        return None, f"{why}; {_may_be_pseudo('growth')}", lacking
    if at.rule.t2_counts and _less_steroids(at.visit, at.low):
        return None, f"{why}, but steroids were reduced since the nadir: the next scan decides", lacking
    limit = f"{at.rule.title} asks for {at.rule.grown - 1:.0%}" if at.least else "it has come back"
    return PD, f"{why}; {limit}", lacking


def _may_be_pseudo(what: str) -> str:
    return f"{what} within {PSEUDO_WEEKS:g} weeks of radiotherapy may be pseudoprogression: a confirming scan decides"


def _answers(at: _Compared) -> Iterator[tuple[str, bool, str]]:
    """Categories but progression, best first: whether what is known allows them, and why."""
    visit, more = at.visit, _more_steroids(at.visit, at.base)
    measurable = at.base.measurable is not False and at.first > 0
    if visit.gone and measurable:
        on_steroids = visit.steroids_mg is not None and visit.steroids_mg > 0
        yield CR, not on_steroids, "no enhancing tumour is left"
    shrunk = at.size <= at.rule.shrunk * at.first * (1 + EXACTLY)
    limit = f"{at.rule.title} asks for {1 - at.rule.shrunk:.0%} less"
    change = f"{at.now}, {at.against(at.first, 'baseline')}"
    if shrunk and measurable:
        yield PR, not more, f"{change}; {limit}"
    both = f"{change}, and {at.against(at.least, f'nadir, visit {at.nadir + 1}')}" if at.least < at.first else change
    stable = f"{both}: neither response nor progression"
    if not measurable:
        stable = "nothing could be measured at the baseline (10 x 10 mm), so stable is the best that can be said"
    yield SD, not more, stable


def _unknown(at: _Compared, category: str) -> Iterator[str]:
    """Facts that a category needs and that nobody gave, in words."""
    visit, base = at.visit, at.base
    if visit.new_lesion is None:
        yield "whether there is a new lesion"
    if at.rule.t2_counts and visit.t2_flair is None:
        yield "how T2/FLAIR has changed"
    if visit.steroids_mg is None or (base.steroids_mg is None and category != CR and visit.steroids_mg > 0):
        yield "the dose of steroids" if visit.steroids_mg is None else "the baseline's dose of steroids"
    if visit.clinical is None:
        yield "the clinical status"
    if category in (CR, PR) and base.measurable is None:
        yield "whether the baseline could be measured (10 x 10 mm)"
    if category == PR and not at.size and visit.gone is None:
        yield "whether any enhancing tumour is left"


def _less_steroids(visit: Visit, before: Visit) -> bool:
    """Whether the dose is known to be smaller."""
    return None not in (visit.steroids_mg, before.steroids_mg) and visit.steroids_mg < before.steroids_mg  # type: ignore[operator]


def _more_steroids(visit: Visit, before: Visit) -> bool:
    """Whether the dose is known to be larger."""
    return None not in (visit.steroids_mg, before.steroids_mg) and visit.steroids_mg > before.steroids_mg  # type: ignore[operator]


def _listed(facts: Sequence[str]) -> str:
    return f"{' and '.join(facts)} {'is' if len(facts) == 1 else 'are'}"


def _confirmed(visits: Sequence[Visit], number: int, rule: Rule, category: str) -> bool | None:
    """Whether a response lasts: by word, else by the first later scan that is at least four weeks away."""
    visit = visits[number]
    if visit.confirmed is not None:
        return visit.confirmed
    for later in range(number + 1, len(visits)):
        if visits[later].surgery or visits[later].baseline or (rule.after_radiotherapy and visits[later].radiotherapy):
            return None
        if visit.day is None or visits[later].day is None:
            return None
        if visits[later].day - visit.day >= CONFIRMED_DAYS:  # type: ignore[operator]
            found = _by_size_and_facts(visits, later, rule).category
            return None if found is None else found == CR or (category == PR and found == PR)
    return None
