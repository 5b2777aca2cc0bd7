"""What changes a node: a file for each controller, with precheck, apply, postcheck, and undo where there is one."""
