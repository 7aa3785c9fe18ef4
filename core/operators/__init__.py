"""The operator table: one entry per operator, grouped by kind; `table` loads them all, `catalogue` finds them."""
