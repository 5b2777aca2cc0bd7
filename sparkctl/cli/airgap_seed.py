"""`sparkctl airgap seed`: what new nodes are told at their first boot."""

from pathlib import Path

import click

from sparkctl.cli.options import exit_of_problems, selector_argument, tell_problems, with_format, with_places
from sparkctl.errors import UsageError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@selector_argument
@click.option("--site-file", type=_FILE, required=True, help="What the site gives every node: YAML, see help seeds.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder that is not there yet.")
@click.option("--key", type=_FILE, help="Sign with this OpenSSH key; nodes get its public half.")
@click.option("--enrolment", type=_FILE, help="Secret that beacons are proven by [STATE/seed-enrolment.key].")
@click.option("--no-images", is_flag=True, help="Files only, no images for sticks and disks.")
@click.option("--check", is_flag=True, help="Find everything that is wrong with the site file, and make nothing.")
@with_places
@with_format
def seed(
    selector: tuple[str, ...],
    site_file: Path,
    out: Path | None,
    key: Path | None,
    enrolment: Path | None,
    no_images: bool,
    check: bool,
    fleet: Path | None,
    state: Path | None,
    form: str,
) -> int:
    """Make the seeds of nodes: cloud-init, installer, boot menu, sticks; checked, and signed.

    Each node needs a label `mac` in the inventory; `address` and `gateway` are labels, too. The same inventory, site
    file, key and secret give the same bytes. Write the images of a node to sticks, or serve its folder `http`.

    Example: sparkctl airgap seed 'rack=b2' --site-file site.yaml --out seeds --key ~/.ssh/seed_key
    """
    if check:
        from sparkctl.app.site_file import examine

        _, problems = examine(site_file)
        tell_problems(problems, form)
        return exit_of_problems(problems)
    if out is None or key is None:
        raise UsageError("--out and --key are needed to make seeds", hint="or look at the site file alone: --check")
    from sparkctl.app.places import places
    from sparkctl.app.seed import SeedRequest, make_seeds

    wanted = SeedRequest(",".join(selector) or "all", site_file, out, key, enrolment, images=not no_images)
    report = make_seeds(places(fleet, state), wanted)
    if report.checked_by is None:
        click.echo(
            "sparkctl: NOT CHECKED by cloud-init, which is not installed here: see `sparkctl help seeds` on how to"
            " install it so that it checks and never runs, and make the seeds again before you trust them",
            err=True,
        )
    if form == "human":
        checked = f"checked by {report.checked_by}" if report.checked_by else "not checked by cloud-init"
        nodes = f"{len(report.nodes):,} {'node' if len(report.nodes) == 1 else 'nodes'}"
        click.echo(
            f"{nodes}, {report.files:,} files in {report.folder}, {checked}, signed by {report.signed_by}\n"
            f"  → they hold password hashes and secrets of sticks: keep the folder as you keep keys"
        )
    else:
        click.echo(report.model_dump_json())
    return 0
