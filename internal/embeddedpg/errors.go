package embeddedpg

import "errors"

// The reasons why no Postgres can be had. Start wraps them in a sentence that
// says what was tried; errors.Is finds them.
var (
	ErrNoBinaries  = errors.New("no usable Postgres was found")
	ErrNoDownload  = errors.New("no Postgres could be downloaded")
	ErrChecksum    = errors.New("the downloaded Postgres is not the published one")
	ErrNoUser      = errors.New("there is no user for Postgres to run as")
	ErrNoSpace     = errors.New("there is not enough free space for Postgres")
	ErrPathTooLong = errors.New("the folder's path is too long for a socket")
	ErrFolder      = errors.New("the folder cannot be used for Postgres")
	ErrInUse       = errors.New("another program is using the folder")
	ErrVersion     = errors.New("the data were made by another version of Postgres")
	ErrNotStarted  = errors.New("the Postgres server did not start")
)
