"""The work behind the commands: each job joins calls of several layers into one."""
