"""What people see and do about their own data, with an account and without one."""
