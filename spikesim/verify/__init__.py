"""Every bound and formula of the theory against simulation, with a verdict on each."""
