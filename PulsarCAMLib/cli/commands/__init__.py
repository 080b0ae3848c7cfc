"""Commands of ``pulsarcam`` that need one file each; larger ones have a folder beside this one."""
