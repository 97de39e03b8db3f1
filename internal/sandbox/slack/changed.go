package slack

// Changed answers a channel that is closed at the next thing that people see
// happen. Ask for it before looking, so that nothing is missed.
func (w *Workspace) Changed() <-chan struct{} {
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	return w.feed.changed
}

// SocketMode tells whether deliveries go over Socket Mode.
func (w *Workspace) SocketMode() bool { return w.opt.SocketMode }
