:c;type filter hook input priority 0
*inet;t;c
!v4 ipv4_addr;ok
!v6 ipv6_addr;ok
!p inet_service;ok
!both type ipv4_addr . inet_service;ok
!verdicts type ipv4_addr : verdict;ok
!marks type ipv4_addr : mark;ok
!dyn type ipv4_addr dynamic;ok
!m type mark interval;ok
!r type ipv4_addr interval;ok
?v4 192.0.2.1, 192.0.2.2;ok
?m 0x1-0x5;ok
%hits type counter;ok
%q type quota 10 mbytes;ok
%l type limit rate 5/second;ok
%h type ct helper { type "ftp" protocol tcp; };ok

ip saddr @v4;ok
ip saddr != @v4 drop;ok
ip6 saddr @v6;ok
tcp dport @p;ok
ip saddr . tcp dport @both;ok
ip saddr vmap @verdicts;ok
meta mark set ip saddr map @marks;ok
add @dyn { ip saddr };ok
add @dyn { ip saddr limit rate over 5/second } drop;ok
update @dyn { ip saddr counter };ok
delete @dyn { ip saddr };ok
add @dyn { ip saddr ct count over 4 } reject;ok
meta mark @m;ok
ip saddr @r;ok
counter name "hits";ok
quota name "q";ok
limit name "l";ok
counter name tcp dport map { 80 : "hits" };ok
ct helper set "h";ok
ip saddr . ip daddr . tcp dport { 10.0.0.1 . 10.0.0.2 . 80 } accept;ok
iifname . ip saddr { eth0 . 10.0.0.0/8 } accept;ok
ip protocol . th dport vmap { tcp . 22 : accept, udp . 53 : accept };ok
