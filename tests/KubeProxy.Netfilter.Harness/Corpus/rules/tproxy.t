:c;type filter hook prerouting priority 0
*inet;t;c

tcp dport 80 tproxy ip to 127.0.0.1:8080;ok
meta l4proto tcp tproxy to :8080;ok
meta l4proto udp tproxy ip6 to [::1]:53;ok
meta l4proto tcp tproxy ip to :81;ok
meta l4proto tcp socket transparent 1 meta mark set 0x1 accept;ok
