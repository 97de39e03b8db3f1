package aws

import "regexp"

// The patterns of the service models.
var (
	instancePattern      = regexp.MustCompile(`^arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}$`)
	permissionSetPattern = regexp.MustCompile(`^arn:aws(-[a-z]{1,5}){0,3}:sso:::permissionSet/(sso)?ins-[a-zA-Z0-9-.]{16}/ps-[a-zA-Z0-9-./]{16}$`)
	accountPattern       = regexp.MustCompile(`^\d{12}$`)
	principalPattern     = regexp.MustCompile(`^([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}$`)
	requestPattern       = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	storePattern         = regexp.MustCompile(`^(d-[0-9a-f]{10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
)

// match refuses a member that does not look as the model says.
func match(member, value string, pattern *regexp.Regexp) *failure {
	if pattern.MatchString(value) {
		return nil
	}
	return refuse(invalid, "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", value, member, pattern)
}

// first answers the first failure there is.
func first(failures ...*failure) *failure {
	for _, f := range failures {
		if f != nil {
			return f
		}
	}
	return nil
}

// instance refuses a call about an instance that is not here: an unknown one, or
// ours asked for in another region.
func (s *Server) instance(arn string, c caller) *failure {
	if f := match("instanceArn", arn, instancePattern); f != nil {
		return f
	}
	if arn != s.opt.InstanceARN || c.region != s.opt.Region {
		return refuse(notFound, "Instance %s not found", arn)
	}
	return nil
}

func (s *Server) permissionSet(arn string) *failure {
	if f := match("permissionSetArn", arn, permissionSetPattern); f != nil {
		return f
	}
	if _, ok := s.sets[arn]; !ok {
		return refuse(notFound, "Could not find PermissionSet with ARN %s", arn)
	}
	return nil
}
