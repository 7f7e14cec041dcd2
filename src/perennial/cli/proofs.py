"""Proofs on one's own data: of the gates, of drift, of the policy."""

from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, complain, console, print_json


@app.command("prove-gates")
def prove_gates(
    quick: Annotated[
        bool, typer.Option("--quick", help="Draw few good candidates: minutes, not half an hour.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A kind of plant; may be given repeatedly.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Plant bad candidates and good ones, and see which ones the gates stop.

    Example: perennial prove-gates --quick
    """
    with answering(as_json):
        from perennial.commands import rendering_proofs as rendering
        from perennial.commands.progress import counting
        from perennial.commands.prove import prove

        with counting(console(True), "planting") as progress:
            found = prove(quick, only or [], progress)
        if as_json:
            print_json(found.report)
        else:
            console().print(rendering.proof(found))
        if found.faults:
            complain(found.faults, "See reports/prove-gates.html; docs/how-gates-are-proven.md.")
        raise typer.Exit(1 if found.faults else 0)


@app.command("calibrate-drift")
def calibrate_drift(
    windows: Annotated[
        int | None, typer.Option(help="Null windows, over all sizes.", min=3)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few windows: a minute or two.")] = False,
    as_json: Json = False,
) -> None:
    """Measure drift's false alarms on your own data, and which changes it sees.

    Example: perennial calibrate-drift --quick
    """
    with answering(as_json):
        from perennial.commands import rendering_proofs as rendering
        from perennial.commands.calibrate import calibrate
        from perennial.commands.progress import counting

        with counting(console(True), "examining") as progress:
            found = calibrate(windows, quick, progress)
        if as_json:
            print_json(found.report)
        else:
            console().print(rendering.calibration(found))
        if found.faults:
            remedy = "Raise the thresholds: reports/calibrate-drift.html has those that would do."
            complain(found.faults, remedy)
        raise typer.Exit(1 if found.faults else 0)


@app.command()
def replay(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="never, scheduled(K), drift or always; may be given repeatedly. Writes no report.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Start from the batches up to this period."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Never, drift and always only; short searches.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let every past period arrive again, under each retraining policy.

    Example: perennial replay --policy never --policy drift
    """
    with answering(as_json):
        from perennial.commands import rendering_proofs as rendering
        from perennial.commands.progress import counting
        from perennial.commands.replay import replay as act

        with counting(console(True), "replaying") as progress:
            found = act(quick, policy or [], start, progress)
        if as_json:
            print_json(found.report)
        else:
            console().print(rendering.replay(found))
