package migrations

// ProgramMay is what the program's role may do with each table.
func ProgramMay() map[string]string { return programMay() }
