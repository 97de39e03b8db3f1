package aws

// User is a person in the identity store.
type User struct {
	ID       string // a UUID, with or without the store's ten digits before it
	UserName string
	Email    string
	Disabled bool
}

// PermissionSet is a permission set of the instance.
type PermissionSet struct {
	ARN             string
	Name            string
	SessionDuration string // ISO 8601, such as PT1H; empty: not told
}

type account struct{ suspended bool }

// AddUser puts a person into the identity store, or alters the one with this id.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ID] = u
}

// RemoveUser takes a person out of the identity store. Their assignments stay.
func (s *Server) RemoveUser(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users, id)
}

// AddAccount puts an account into the organisation: twelve digits.
func (s *Server) AddAccount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id] = account{}
}

// SuspendAccount makes every later create in this account end FAILED.
func (s *Server) SuspendAccount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id] = account{suspended: true}
}

// AddPermissionSet puts a permission set into the instance.
func (s *Server) AddPermissionSet(p PermissionSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[p.ARN] = p
}

// RemovePermissionSet takes a permission set out of the instance. Nobody may have it.
func (s *Server) RemovePermissionSet(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sets, arn)
}

// RemoveAccount takes an account out of the organisation. Nobody may have access to it.
func (s *Server) RemoveAccount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, id)
}
