package identitycenter_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestEveryUserOfAPairIsListedAndGroupsAreOnlyCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.PageSize, o.EmptyPages = 2, true })
	want := []string{}
	for n := range 5 {
		k := sandbox.Key(adaAdmin)
		k.UserID = fmt.Sprintf("00000000-1111-2222-3333-44445555666%d", n)
		b.aws.Plant(k)
		want = append(want, k.UserID)
	}
	b.aws.PlantGroup(sandbox.Key(adaAdmin))
	elsewhere := sandbox.Key(adaAdmin)
	elsewhere.PermissionSetARN = readARN
	b.aws.Plant(elsewhere)
	pages := 0
	users, groups, err := b.client.AssignedUsers(context.Background(), account, setARN, func(context.Context) error {
		pages++
		return nil
	})
	if err != nil || groups != 1 || pages != 4 {
		t.Errorf("%d groups on %d pages: %v", groups, pages, err)
	}
	if diff := cmp.Diff(want, users); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACensusIsNotTriedAgainByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: "ListAccountAssignments", Times: 1})
	never := func(context.Context) error { return nil }
	_, _, err := b.client.AssignedUsers(context.Background(), account, setARN, never)
	wantOutcome(t, err, change.NotNow)
	if _, _, err = b.client.AssignedUsers(context.Background(), account, setARN, never); err != nil {
		t.Error(err)
	}
	_, _, err = b.client.AssignedUsers(context.Background(), account, setARN[:len(setARN)-1]+"0", never)
	wantOutcome(t, err, change.Missing)
	stopped := errors.New("stopped")
	if _, _, err = b.client.AssignedUsers(context.Background(), account, setARN, func(context.Context) error { return stopped }); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}
