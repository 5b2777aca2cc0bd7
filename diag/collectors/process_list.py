"""Every process, with what it waits for."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLUMNS = "pid,ppid,user:20,stat,wchan:32,nlwp,ni,psr,pcpu,pmem,rss,vsz,lstart,etime,args"
COLLECTOR = Collector(
    "Processes with states, wait channels and command lines",
    Volatility.MOMENT,
    (Command("processes.txt", ("ps", "-eww", "-o", COLUMNS), limit=512 * KIB),),
)
