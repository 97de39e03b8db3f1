// Package audit writes the trail of a period into a folder for an auditor, and
// verifies such a folder alone, without the database. docs/audit-format.md says
// what stands in it; docs/verify_export.py verifies one too, and shares no code.
//
// It may import internal/change, internal/ledger and internal/report.
package audit
