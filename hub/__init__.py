"""The hub: joins chats, orders, customers and stock around a show. The only room with a database."""
