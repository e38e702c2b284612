"""What every room shares: interfaces, plain types, errors, configuration, seeding. Imports no other room."""
