namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>
/// What upstream's proxy (v1.36) leaves on a node for a few services: web with a node port, empty without endpoints, lb with
/// source ranges.
/// </summary>
internal static class UpstreamTable
{
    public const string Services = """
        add table ip kube-proxy { comment "rules for kube-proxy" ; }
        add chain ip kube-proxy filter-prerouting-pre-dnat { type filter hook prerouting priority -110 ; }
        add chain ip kube-proxy filter-output-pre-dnat { type filter hook output priority -110 ; }
        add chain ip kube-proxy filter-input { type filter hook input priority 0 ; }
        add chain ip kube-proxy filter-forward { type filter hook forward priority 0 ; }
        add chain ip kube-proxy filter-output { type filter hook output priority 0 ; }
        add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }
        add chain ip kube-proxy nat-output { type nat hook output priority -100 ; }
        add chain ip kube-proxy nat-postrouting { type nat hook postrouting priority 100 ; }
        add chain ip kube-proxy services
        add chain ip kube-proxy service-endpoints-check
        add chain ip kube-proxy nodeport-endpoints-check
        add chain ip kube-proxy firewall-check
        add chain ip kube-proxy cluster-ips-check
        add chain ip kube-proxy masquerading
        add chain ip kube-proxy reject-chain { comment "helper for @no-endpoint-services / @no-endpoint-nodeports" ; }
        add rule ip kube-proxy filter-input ct state new jump nodeport-endpoints-check
        add rule ip kube-proxy filter-input ct state new jump service-endpoints-check
        add rule ip kube-proxy filter-forward ct state new jump service-endpoints-check
        add rule ip kube-proxy filter-output ct state new jump service-endpoints-check
        add rule ip kube-proxy filter-prerouting-pre-dnat ct state new jump firewall-check
        add rule ip kube-proxy filter-output-pre-dnat ct state new jump firewall-check
        add rule ip kube-proxy nat-output jump services
        add rule ip kube-proxy nat-prerouting jump services
        add rule ip kube-proxy nat-postrouting jump masquerading
        add rule ip kube-proxy filter-forward ct state new jump cluster-ips-check
        add rule ip kube-proxy filter-output ct state new jump cluster-ips-check
        add set ip kube-proxy hairpin-connections { type ipv4_addr . ipv4_addr . inet_proto . inet_service ; comment "service hairpin connections" ; }
        add rule ip kube-proxy masquerading mark and 0x4000 != 0 mark set mark xor 0x4000 masquerade fully-random
        add rule ip kube-proxy masquerading ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random
        add set ip kube-proxy cluster-ips { type ipv4_addr ; comment "Active ClusterIPs" ; }
        add rule ip kube-proxy cluster-ips-check ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
        add rule ip kube-proxy cluster-ips-check ip daddr { 10.96.0.0/12 } drop comment "Drop traffic to unallocated ClusterIPs"
        add map ip kube-proxy no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict ; comment "vmap to drop or reject packets to services with no endpoints" ; }
        add map ip kube-proxy no-endpoint-nodeports { type inet_proto . inet_service : verdict ; comment "vmap to drop or reject packets to service nodeports with no endpoints" ; }
        add rule ip kube-proxy reject-chain reject
        add rule ip kube-proxy service-endpoints-check ip daddr . meta l4proto . th dport vmap @no-endpoint-services
        add rule ip kube-proxy nodeport-endpoints-check ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports
        add map ip kube-proxy firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment "destinations that are subject to LoadBalancerSourceRanges" ; }
        add rule ip kube-proxy firewall-check ip daddr . meta l4proto . th dport vmap @firewall-ips
        add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment "ClusterIP, ExternalIP and LoadBalancer IP traffic" ; }
        add map ip kube-proxy service-nodeports { type inet_proto . inet_service : verdict ; comment "NodePort traffic" ; }
        add rule ip kube-proxy services ip daddr @cluster-ips ip saddr != 10.244.0.0/16 mark set mark or 0x4000 comment "masquerade clusterIP traffic from outside cluster"
        add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips
        add rule ip kube-proxy services fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports

        add chain ip kube-proxy service-SUSTUHLJ-default/web/tcp/http
        add chain ip kube-proxy external-SUSTUHLJ-default/web/tcp/http
        add rule ip kube-proxy service-SUSTUHLJ-default/web/tcp/http meta l4proto tcp dnat ip addr . port to numgen random mod 3 map { 0 : 10.244.0.2 . 8080 , 1 : 10.244.1.2 . 8080 , 2 : 10.244.2.2 . 8080 }
        add rule ip kube-proxy external-SUSTUHLJ-default/web/tcp/http mark set mark or 0x4000 comment "masquerade"
        add rule ip kube-proxy external-SUSTUHLJ-default/web/tcp/http goto service-SUSTUHLJ-default/web/tcp/http
        add element ip kube-proxy cluster-ips { 10.96.0.10 }
        add element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 : goto service-SUSTUHLJ-default/web/tcp/http }
        add element ip kube-proxy service-nodeports { tcp . 30080 : goto external-SUSTUHLJ-default/web/tcp/http }
        add element ip kube-proxy hairpin-connections { 10.244.0.2 . 10.244.0.2 . tcp . 8080 }

        add element ip kube-proxy cluster-ips { 10.96.0.11 }
        add element ip kube-proxy no-endpoint-services { 10.96.0.11 . tcp . 80 comment "default/empty:http" : goto reject-chain }

        add chain ip kube-proxy service-D2RGPZ6L-default/lb/tcp/http
        add chain ip kube-proxy external-D2RGPZ6L-default/lb/tcp/http
        add chain ip kube-proxy firewall-D2RGPZ6L-default/lb/tcp/http
        add rule ip kube-proxy service-D2RGPZ6L-default/lb/tcp/http meta l4proto tcp dnat ip addr . port to numgen random mod 1 map { 0 : 10.244.0.2 . 8080 }
        add rule ip kube-proxy external-D2RGPZ6L-default/lb/tcp/http mark set mark or 0x4000 comment "masquerade"
        add rule ip kube-proxy external-D2RGPZ6L-default/lb/tcp/http goto service-D2RGPZ6L-default/lb/tcp/http
        add rule ip kube-proxy firewall-D2RGPZ6L-default/lb/tcp/http ip saddr != { 203.0.113.0/25 } drop
        add element ip kube-proxy cluster-ips { 10.96.0.12 }
        add element ip kube-proxy service-ips { 10.96.0.12 . tcp . 80 : goto service-D2RGPZ6L-default/lb/tcp/http }
        add element ip kube-proxy service-ips { 198.18.20.1 . tcp . 80 : goto external-D2RGPZ6L-default/lb/tcp/http }
        add element ip kube-proxy firewall-ips { 198.18.20.1 . tcp . 80 comment "default/lb:http" : goto firewall-D2RGPZ6L-default/lb/tcp/http }

        """;

    /// <summary>Adds a service with session affinity, which has chains and sets of its own.</summary>
    public const string Sticky = """
        add chain ip kube-proxy service-H6U4RGLG-default/sticky/tcp/http
        add chain ip kube-proxy endpoint-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080
        add chain ip kube-proxy endpoint-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080
        add set ip kube-proxy affinity-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
        add set ip kube-proxy affinity-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
        add rule ip kube-proxy endpoint-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080 update @affinity-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080 { ip saddr }
        add rule ip kube-proxy endpoint-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080 meta l4proto tcp dnat to 10.244.0.2:8080
        add rule ip kube-proxy endpoint-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080 update @affinity-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080 { ip saddr }
        add rule ip kube-proxy endpoint-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
        add rule ip kube-proxy service-H6U4RGLG-default/sticky/tcp/http ip saddr @affinity-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080 goto endpoint-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080
        add rule ip kube-proxy service-H6U4RGLG-default/sticky/tcp/http ip saddr @affinity-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080 goto endpoint-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080
        add rule ip kube-proxy service-H6U4RGLG-default/sticky/tcp/http numgen random mod 2 vmap { 0 : goto endpoint-EWAUHBCG-default/sticky/tcp/http__10.244.0.2/8080 , 1 : goto endpoint-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080 }
        add element ip kube-proxy cluster-ips { 10.96.0.13 }
        add element ip kube-proxy service-ips { 10.96.0.13 . tcp . 80 : goto service-H6U4RGLG-default/sticky/tcp/http }

        """;
}
