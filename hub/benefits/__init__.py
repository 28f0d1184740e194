"""Benefits: who gets something for having joined, and what that costs and brings."""
