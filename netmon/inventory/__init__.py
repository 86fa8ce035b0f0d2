"""What stands where: two inventories compared, and what routers say of themselves."""
