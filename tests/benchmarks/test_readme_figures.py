"""The README's figures are those of benchmarks/results."""

from benchmarks import readme


def test_the_readme_shows_what_was_measured() -> None:
    assert readme.main(["--check"]) == 0, "stale: python -m benchmarks.readme"


def test_nothing_is_shown_that_was_not_measured() -> None:
    shown = readme.README.read_text().partition(readme.BEGIN)[2].partition(readme.END)[0]
    assert shown == readme.figures()
    assert shown.count("| found |") == len(list(readme.RESULTS.glob("*.json")))
