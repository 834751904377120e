"""Chat under kills: processes as production runs them, a proxy, and a crowd that keeps ledgers."""
