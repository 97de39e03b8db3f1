// Package report says how an organisation does with its emergency changes: it
// computes figures of a period's whole population, and writes them as one page
// of HTML, as a table (CSV), as JSON, or as the sentences of the monthly digest.
//
// The figures are pure: the same rows give the same figures. docs/report.md says
// what each of them means. Nothing here reads the clock or calls another system.
//
// It may import internal/change and internal/ledger.
package report
