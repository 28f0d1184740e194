"""How risky an order is, who looks at it, and how often one identity may buy."""
