"""Playbooks, pure: what one says, what a plan of it is, and what is to be done next. No clock, no disk, no socket."""
