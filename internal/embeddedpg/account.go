package embeddedpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that Postgres runs as. It differs from the program's own
// user only under root, which Postgres refuses.
type account struct {
	name     string
	uid, gid uint32
	drop     bool // it is another user than the program's
}

// runAs chooses the account. Postgres looks its user up by number, so a number
// without an entry in the user database will not do.
func (s system) runAs() (account, error) {
	euid := s.euid()
	if euid != 0 {
		u, err := s.lookupID(strconv.Itoa(euid))
		if err != nil {
			return account{}, fmt.Errorf("%w: the user number %d has no entry in /etc/passwd, which Postgres insists on; add one, or set DATABASE_URL (%w)", ErrNoUser, euid, err)
		}
		return newAccount(u.Username, u.Uid, u.Gid, false)
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := s.lookupName(name); err == nil {
			return newAccount(u.Username, u.Uid, u.Gid, true)
		}
	}
	return account{}, fmt.Errorf("%w: it refuses to run as root, and this machine has neither a user postgres nor a user nobody; create one, run as another user, or set DATABASE_URL", ErrNoUser)
}

func newAccount(name, uid, gid string, drop bool) (account, error) {
	u, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("%w: the user %s has the number %q (%w)", ErrNoUser, name, uid, err)
	}
	g, err := strconv.ParseUint(gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("%w: the user %s has the group %q (%w)", ErrNoUser, name, gid, err)
	}
	return account{name: name, uid: uint32(u), gid: uint32(g), drop: drop}, nil
}

// attributes makes a child run as the account, in a process group of its own:
// Ctrl-C in the terminal is for the program, which then stops Postgres.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own gives a folder with all that is in it to the account, and nothing
// outside of it, whatever links appear in it meanwhile.
func (a account) own(folder string) error {
	if !a.drop {
		return nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("giving a folder to the user %s: %w", a.name, err)
	}
	err = fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(name, int(a.uid), int(a.gid))
	})
	if err = errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("giving %s to the user %s: %w", folder, a.name, err)
	}
	return nil
}

// canEnter says whether the account can reach what is in dir. Only another
// user than the program's can be locked out.
func (a account) canEnter(dir string) error {
	if !a.drop {
		return nil
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("following %s: %w", dir, err)
	}
	dir = real
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("looking at %s: %w", dir, err)
		}
		needed := fs.FileMode(0o001)
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			switch {
			case owner.Uid == a.uid:
				needed = 0o100
			case owner.Gid == a.gid:
				needed = 0o010
			}
		}
		if info.Mode().Perm()&needed == 0 {
			return fmt.Errorf("%w: under root Postgres runs as the user %s, who may not enter %s; choose a folder elsewhere", ErrFolder, a.name, dir)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
}
