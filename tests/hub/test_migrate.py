from hub.db import Database


async def test_x(db: Database) -> None:
    assert await db.pool.fetchval("select count(*) from hold") == 0
    assert await db.pool.fetchval("select count(*) from procrastinate_jobs") == 0
