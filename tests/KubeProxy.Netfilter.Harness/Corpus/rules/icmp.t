:c;type filter hook input priority 0
*inet;t;c

icmp type echo-request;ok
icmp type != echo-reply;ok
icmp type { echo-request, echo-reply } accept;ok
icmp type destination-unreachable icmp code port-unreachable;ok
icmp code host-prohibited;ok
icmp code { net-unreachable, frag-needed };ok
icmp type timestamp-request counter;ok
icmp type echo-request icmp id 7;ok
icmp type echo-request icmp sequence 1-9;ok
icmp type redirect icmp gateway 17;ok
icmp type destination-unreachable icmp mtu 1400;ok
icmp checksum 5;ok
icmpv6 type nd-neighbor-solicit;ok
icmpv6 type { nd-router-advert, nd-neighbor-advert } accept;ok
icmpv6 type packet-too-big icmpv6 mtu 1280;ok
icmpv6 code no-route;ok
icmpv6 code != port-unreachable;ok
icmpv6 type echo-request icmpv6 id 3;ok
icmpv6 type echo-reply icmpv6 sequence 4;ok
icmpv6 type mld-listener-query icmpv6 max-delay 10;ok
icmpv6 type parameter-problem icmpv6 parameter-problem 40;ok
icmpv6 type vmap { nd-redirect : drop, mld2-listener-report : accept };ok
igmp type membership-query;ok
igmp type { membership-report-v1, leave-group };ok
igmp group 17;ok
igmp mrt 10;ok
igmp checksum 12;ok
