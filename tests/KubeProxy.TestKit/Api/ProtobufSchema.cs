namespace KubeProxy.TestKit.Api;

/// <summary>How a field is encoded.</summary>
internal enum FieldKind
{
    Text,
    Number,
    Flag,
    Message,

    /// <summary><c>map&lt;string, string&gt;</c>.</summary>
    Map,

    /// <summary>A message with seconds; JSON has RFC 3339.</summary>
    Time,

    /// <summary>A number or a text.</summary>
    IntOrString,

    /// <summary>A message with the JSON text itself.</summary>
    RawJson,
}

/// <summary>A field of a message.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Its name in JSON.</param>
/// <param name="Kind">How it is encoded.</param>
/// <param name="Of">What a <see cref="FieldKind.Message"/> is.</param>
internal sealed record ProtobufField(int Number, string Name, FieldKind Kind, ProtobufMessage? Of = null)
{
    /// <summary>There may be many.</summary>
    public bool IsRepeated { get; init; }

    /// <summary>A pointer in the server's code: a missing one is not written. All others are, as empty or 0.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>A message.</summary>
internal sealed record ProtobufMessage(params ProtobufField[] Fields);

/// <summary>
/// The messages of the API as far as tests use their fields. The numbers are those of the <c>generated.proto</c> files of
/// Kubernetes.
/// </summary>
internal static class ProtobufSchema
{
    private static readonly ProtobufMessage TypeMeta = new(Text(1, "apiVersion"), Text(2, "kind"));

    private static readonly ProtobufMessage ObjectReference = new(
        Text(1, "kind"), Text(2, "namespace"), Text(3, "name"), Text(4, "uid"), Text(5, "apiVersion"), Text(6, "resourceVersion"), Text(7, "fieldPath"));

    private static readonly ProtobufMessage OwnerReference = new(
        Text(1, "kind"), Text(3, "name"), Text(4, "uid"), Text(5, "apiVersion"), Optional(Flag(6, "controller")), Optional(Flag(7, "blockOwnerDeletion")));

    private static readonly ProtobufMessage ManagedFieldsEntry = new(
        Text(1, "manager"), Text(2, "operation"), Text(3, "apiVersion"), Optional(new(4, "time", FieldKind.Time)), Text(6, "fieldsType"),
        Optional(new(7, "fieldsV1", FieldKind.RawJson)), Text(8, "subresource"));

    private static readonly ProtobufMessage ObjectMeta = new(
        Text(1, "name"), Text(2, "generateName"), Text(3, "namespace"), Text(4, "selfLink"), Text(5, "uid"), Text(6, "resourceVersion"), Number(7, "generation"),
        new(8, "creationTimestamp", FieldKind.Time), Optional(new(9, "deletionTimestamp", FieldKind.Time)), Optional(Number(10, "deletionGracePeriodSeconds")),
        new(11, "labels", FieldKind.Map), new(12, "annotations", FieldKind.Map), Many(Message(13, "ownerReferences", OwnerReference)), Many(Text(14, "finalizers")),
        Many(Message(17, "managedFields", ManagedFieldsEntry)));

    private static readonly ProtobufMessage ServicePort = new(
        Text(1, "name"), Text(2, "protocol"), Number(3, "port"), new(4, "targetPort", FieldKind.IntOrString), Number(5, "nodePort"), Optional(Text(6, "appProtocol")));

    private static readonly ProtobufMessage SessionAffinityConfig = new(Optional(Message(1, "clientIP", new(Optional(Number(1, "timeoutSeconds"))))));

    private static readonly ProtobufMessage ServiceSpec = new(
        Many(Message(1, "ports", ServicePort)), new(2, "selector", FieldKind.Map), Text(3, "clusterIP"), Text(4, "type"), Many(Text(5, "externalIPs")),
        Text(7, "sessionAffinity"), Text(8, "loadBalancerIP"), Many(Text(9, "loadBalancerSourceRanges")), Text(10, "externalName"),
        Text(11, "externalTrafficPolicy"), Number(12, "healthCheckNodePort"), Flag(13, "publishNotReadyAddresses"),
        Optional(Message(14, "sessionAffinityConfig", SessionAffinityConfig)), Optional(Text(17, "ipFamilyPolicy")), Many(Text(18, "clusterIPs")),
        Many(Text(19, "ipFamilies")), Optional(Flag(20, "allocateLoadBalancerNodePorts")), Optional(Text(21, "loadBalancerClass")),
        Optional(Text(22, "internalTrafficPolicy")), Optional(Text(23, "trafficDistribution")));

    private static readonly ProtobufMessage LoadBalancerIngress = new(
        Text(1, "ip"), Text(2, "hostname"), Optional(Text(3, "ipMode")), Many(Message(4, "ports", new(Number(1, "port"), Text(2, "protocol"), Optional(Text(3, "error"))))));

    private static readonly ProtobufMessage ServiceStatus = new(Message(1, "loadBalancer", new(Many(Message(1, "ingress", LoadBalancerIngress)))));

    private static readonly ProtobufMessage Hint = new(Text(1, "name"));

    private static readonly ProtobufMessage Endpoint = new(
        Many(Text(1, "addresses")),
        Message(2, "conditions", new(Optional(Flag(1, "ready")), Optional(Flag(2, "serving")), Optional(Flag(3, "terminating")))),
        Optional(Text(3, "hostname")), Optional(Message(4, "targetRef", ObjectReference)), new(5, "deprecatedTopology", FieldKind.Map), Optional(Text(6, "nodeName")),
        Optional(Text(7, "zone")), Optional(Message(8, "hints", new(Many(Message(1, "forZones", Hint)), Many(Message(2, "forNodes", Hint))))));

    private static readonly ProtobufMessage EndpointPort = new(
        Optional(Text(1, "name")), Optional(Text(2, "protocol")), Optional(Number(3, "port")), Optional(Text(4, "appProtocol")));

    private static readonly ProtobufMessage Taint = new(Text(1, "key"), Text(2, "value"), Text(3, "effect"), Optional(new(4, "timeAdded", FieldKind.Time)));

    private static readonly ProtobufMessage NodeSpec = new(
        Text(1, "podCIDR"), Text(2, "externalID"), Text(3, "providerID"), Flag(4, "unschedulable"), Many(Message(5, "taints", Taint)), Many(Text(7, "podCIDRs")));

    private static readonly ProtobufMessage NodeStatus = new(Text(3, "phase"), Many(Message(5, "addresses", new(Text(1, "type"), Text(2, "address")))));

    private static readonly ProtobufMessage StatusDetails = new(
        Text(1, "name"), Text(2, "group"), Text(3, "kind"), Many(Message(4, "causes", new(Text(1, "reason"), Text(2, "message"), Text(3, "field")))),
        Number(5, "retryAfterSeconds"), Text(6, "uid"));

    /// <summary><c>ListMeta</c>.</summary>
    public static ProtobufMessage ListMeta { get; } = new(
        Text(1, "selfLink"), Text(2, "resourceVersion"), Text(3, "continue"), Optional(Number(4, "remainingItemCount")));

    /// <summary><c>Status</c>.</summary>
    public static ProtobufMessage Status { get; } = new(
        Message(1, "metadata", ListMeta), Text(2, "status"), Text(3, "message"), Text(4, "reason"), Optional(Message(5, "details", StatusDetails)), Number(6, "code"));

    /// <summary>The message of a kind.</summary>
    public static ProtobufMessage OfKind(string kind) => kind switch
    {
        "Service" => Service,
        "EndpointSlice" => EndpointSlice,
        "Node" => Node,
        "ServiceCIDR" => ServiceCidr,
        _ => throw new ArgumentException($"no message for kind {kind}"),
    };

    private static ProtobufMessage Service { get; } = new(
        Message(1, "metadata", ObjectMeta), Message(2, "spec", ServiceSpec), Message(3, "status", ServiceStatus));

    private static ProtobufMessage EndpointSlice { get; } = new(
        Message(1, "metadata", ObjectMeta), Many(Message(2, "endpoints", Endpoint)), Many(Message(3, "ports", EndpointPort)), Text(4, "addressType"));

    private static ProtobufMessage Node { get; } = new(Message(1, "metadata", ObjectMeta), Message(2, "spec", NodeSpec), Message(3, "status", NodeStatus));

    private static ProtobufMessage ServiceCidr { get; } = new(
        Message(1, "metadata", ObjectMeta), Message(2, "spec", new(Many(Text(1, "cidrs")))), Message(3, "status", new()));

    /// <summary><c>TypeMeta</c>, in the envelope.</summary>
    public static ProtobufMessage EnvelopeType => TypeMeta;

    private static ProtobufField Text(int number, string name) => new(number, name, FieldKind.Text);

    private static ProtobufField Number(int number, string name) => new(number, name, FieldKind.Number);

    private static ProtobufField Flag(int number, string name) => new(number, name, FieldKind.Flag);

    private static ProtobufField Message(int number, string name, ProtobufMessage of) => new(number, name, FieldKind.Message, of);

    private static ProtobufField Many(ProtobufField field) => field with { IsRepeated = true };

    private static ProtobufField Optional(ProtobufField field) => field with { IsOptional = true };
}
