:c;type filter hook input priority 0
*inet;t;c

meta length 60;ok
meta length != 60;ok
meta length 60-500;ok
meta length != 60-500;ok
meta length < 500;ok
meta length >= 60;ok
meta length { 60, 500, 1500 };ok
meta length != { 60, 1500 };ok
meta cpu 0;ok
meta cpu != 0;ok
meta cpu 0-1;ok
meta cpu != 0-1;ok
meta cpu < 1;ok
meta cpu >= 0;ok
meta cpu { 0, 1, 3 };ok
meta cpu != { 0, 3 };ok
meta cgroup 1;ok
meta cgroup != 1;ok
meta cgroup 1-2;ok
meta cgroup != 1-2;ok
meta cgroup < 2;ok
meta cgroup >= 1;ok
meta cgroup { 1, 2, 3 };ok
meta cgroup != { 1, 3 };ok
meta skuid 1000;ok
meta skuid != 1000;ok
meta skuid 1000-1001;ok
meta skuid != 1000-1001;ok
meta skuid < 1001;ok
meta skuid >= 1000;ok
meta skuid { 1000, 1001, 1002 };ok
meta skuid != { 1000, 1002 };ok
meta skgid 100;ok
meta skgid != 100;ok
meta skgid 100-101;ok
meta skgid != 100-101;ok
meta skgid < 101;ok
meta skgid >= 100;ok
meta skgid { 100, 101, 102 };ok
meta skgid != { 100, 102 };ok
meta mark 0x1;ok
meta mark != 0xff;ok
meta mark & 0xf0 == 0x10;ok
meta mark & 0x3 != 0;ok
meta mark 0x10-0x20;ok
meta mark { 0x1, 0x100 };ok
meta mark { 0x10-0x1f, 0x40 };ok
meta mark set 0x7;ok
meta mark set meta mark | 0x80;ok
meta mark set meta mark & 0xff;ok
meta mark set ct mark;ok
meta mark set meta mark ^ 0x5;ok
meta mark set ip saddr map { 192.0.2.1 : 0x1 };ok
meta nfproto ipv4 counter;ok
meta l4proto tcp;ok
meta l4proto != { icmp, ipv6-icmp };ok
meta l4proto 33-55;ok
meta protocol ip;ok
iif lo;ok
oif != lo;ok
iifname eth0;ok
iifname "wg*";ok
oifname != { eth1, eth2 };ok
iifname { "veth*", eth0 };ok
iifname . oifname { eth0 . eth1 };ok
iifgroup default;ok
oifgroup 7;ok
meta iiftype ether;ok
meta oiftype loopback;ok
meta pkttype broadcast;ok
meta pkttype { host, multicast };ok
meta priority none;ok
meta priority 1:2;ok
meta priority set 5:1;ok
meta nftrace set 1;ok
meta rtclassid 3;ok
meta random <= 1000;ok
meta ipsec exists;ok
meta iifkind veth;ok
meta day Monday;ok
meta day { Saturday, Sunday };ok
meta hour 08:00-18:30;ok
meta time < "2030-01-01 00:00:00";ok
meta pkttype set unicast;ok
meta sdifname vrf0;ok
meta skuid root;ok
meta length . meta cpu { 100 . 1 };ok
