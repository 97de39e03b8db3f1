package reconcile

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// deliverFinding shows a finding of the census, or news of it, to the audit
// channel.
func (d *Deliverer) deliverFinding(ctx context.Context, row ledger.Delivery) error {
	number, news, _ := strings.Cut(row.Key, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || (row.Kind == change.DeliverFindingNews) != (news != "") {
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "no reconciler knows this")
	}
	f, err := d.Ledger.CensusFinding(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "there is no such finding")
	}
	if err != nil {
		return err
	}
	if row.Mode == change.Converge {
		row.Wanted = f.Version
	}
	calls, cancel := context.WithTimeout(ctx, d.within())
	external, err := d.showFinding(calls, f.CensusFinding, change.CensusNews(news), &row)
	cancel()
	switch {
	case errors.Is(err, ledger.ErrClaimLost):
		return err
	case err != nil:
		return d.failed(ctx, change.Change{}, row, err)
	case external == "":
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, noAudit)
	}
	return d.keep(ctx, row, result{external: external, again: time.Time{}}, d.Now())
}

func (d *Deliverer) showFinding(ctx context.Context, f change.CensusFinding, news change.CensusNews, row *ledger.Delivery) (external string, err error) {
	notice := change.CensusNotice{CensusFinding: f, News: news}
	for _, t := range d.Workflow.Rules.Targets {
		for _, s := range t.PermissionSets {
			if t.AccountID == f.Key.AccountID && s.ARN == f.Key.PermissionSetARN {
				notice.TargetName, notice.PermissionSetName = t.Name, s.Name
			}
		}
	}
	if f.Number != 0 {
		c, err := d.Ledger.Change(ctx, f.Number)
		if err != nil {
			return "", err
		}
		notice.Confidential = c.Confidential
	}
	since := row.IntendedAt
	if row.ExternalID == "" {
		if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
			return "", err
		}
	}
	return d.Messenger.Write(ctx, change.Posting{Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: since, Finding: &notice})
}
