"""What happens after an order is paid: cancels, withdrawals, returns, refunds and invoices."""
