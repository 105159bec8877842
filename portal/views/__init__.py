"""The pages. A view loads nothing itself and holds no rule: guard, form, one unit of work, answer."""
