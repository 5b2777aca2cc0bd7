"""`sparkctl help`: pages about journeys; `sparkctl completion`: what a shell needs to complete."""

import json
import sys

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from sparkctl import __version__
from sparkctl.cli.options import with_format_for_files

COMPLETION_VARIABLE = "_SPARKCTL_COMPLETE"
SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("help", short_help="Pages about journeys and formats; the manual.")
@click.argument("topic", nargs=-1)
@with_format_for_files
@click.option("--man", is_flag=True, help="Print the manual page, in roff.")
@click.pass_context
def help_(context: click.Context, topic: tuple[str, ...], form: str, man: bool) -> None:
    """Read a page about TOPIC, or see how a command is called; without TOPIC, list the topics.

    \b
    Example:
      sparkctl help quick-start
      sparkctl help bundle collect
    """
    from sparkctl.app.help_topics import no_such_topic, topic_named

    root = context.find_root()
    if man:
        from sparkctl.app.man_page import man_page

        click.echo(man_page(root.to_info_dict()["command"], __version__), nl=False)
    elif not topic:
        _list(form)
    elif len(topic) == 1 and (page := topic_named(topic[0])) is not None:
        _show(page.text, form)
    elif (called := _command(root, topic)) is not None:
        click.echo(called.get_help())
    else:
        commands = root.command.commands if isinstance(root.command, click.Group) else {}
        raise no_such_topic(" ".join(topic), list(commands))


def _list(form: str) -> None:
    from sparkctl.app.help_topics import topics

    found = topics()
    if form == "human":
        click.echo("Read one with: sparkctl help TOPIC\n")
        formatter = click.HelpFormatter(max_width=100)
        formatter.write_dl([(topic.name, topic.summary) for topic in found])
        click.echo(formatter.getvalue() + "\nOf a command: sparkctl help COMMAND")
        return
    for topic in found:
        click.echo(json.dumps({"name": topic.name, "title": topic.title, "summary": topic.summary}, ensure_ascii=False))


def _show(text: str, form: str) -> None:
    if form != "human":
        click.echo(json.dumps({"text": text}, ensure_ascii=False))
    elif sys.stdout.isatty():
        from sparkctl.report.help import page_for

        click.echo_via_pager(page_for(sys.stdout, text))
    else:
        click.echo(text, nl=False)


def _command(root: click.Context, words: tuple[str, ...]) -> click.Context | None:
    """The context of a command, None when there is none."""
    context = root
    for word in words:
        below = context.command.get_command(context, word) if isinstance(context.command, click.Group) else None
        if below is None:
            return None
        context = click.Context(below, parent=context, info_name=word)
    return context


@click.command(short_help="Completion for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@with_format_for_files
@click.pass_context
def completion(context: click.Context, shell: str, form: str) -> None:
    """Print what SHELL needs to complete commands, options, nodes and other selectors.

    \b
    Example:
      sparkctl completion bash > ~/.local/share/bash-completion/completions/sparkctl
      sparkctl completion zsh > ~/.zfunc/_sparkctl
      sparkctl completion fish > ~/.config/fish/completions/sparkctl.fish
    """
    text = SHELLS[shell](context.find_root().command, {}, "sparkctl", COMPLETION_VARIABLE).source()
    click.echo(text if form == "human" else json.dumps({"shell": shell, "text": text}), nl=form != "human")
