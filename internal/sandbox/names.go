package sandbox

import "github.com/breakglass-bot/breakglass/internal/sandbox/aws"

// Cast lists the people whom a newcomer plays, in the order in which they
// matter. Everybody else in the workspace is there to be named.
func Cast() []string {
	return []string{Engineer, CTO, Deputy, OnCall, ReleaseManager, AppSec, Guest}
}

// AccessNames says for people whose access a key is and to what.
func AccessNames(k aws.Key) (who, account, set string) {
	who, account, set = k.UserID, k.AccountID, k.PermissionSetARN
	for _, p := range people {
		if p.awsUser == k.UserID {
			who = p.name
		}
	}
	switch k.AccountID {
	case Production:
		account = "Production"
	case Security:
		account = "Security"
	}
	switch k.PermissionSetARN {
	case AdminSet:
		set = "BreakGlassAdmin"
	case ReadSet:
		set = "BreakGlassReadOnly"
	}
	return who, account, set
}
