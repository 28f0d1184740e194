"""What a viewer means to buy, and what it will cost: lines, delivery, tax."""
