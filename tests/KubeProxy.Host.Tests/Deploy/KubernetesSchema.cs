using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KubeProxy.Host.Tests.Deploy;

/// <summary>
/// What the Kubernetes API (1.36) accepts of the kinds in <c>deploy/</c>: every field that may be there, its type, and whether it has to
/// be. Strict, as <c>kubectl apply --validate=strict</c> is: an unknown field is a mistake.
/// </summary>
internal static partial class KubernetesSchema
{
    // name! : has to be there. [T] : a list. {T} : a map with any keys. a|b : one of these texts. Names of other types begin upper case.
    private const string Definitions = """
        ServiceAccount: apiVersion!:v1 kind!:ServiceAccount metadata!:ObjectMeta automountServiceAccountToken:bool
        ClusterRole: apiVersion!:rbac.authorization.k8s.io/v1 kind!:ClusterRole metadata!:ObjectMeta rules!:[PolicyRule]
        PolicyRule: apiGroups!:[string] resources!:[string] verbs!:[Verb] resourceNames:[string]
        ClusterRoleBinding: apiVersion!:rbac.authorization.k8s.io/v1 kind!:ClusterRoleBinding metadata!:ObjectMeta roleRef!:RoleRef subjects!:[Subject]
        RoleRef: apiGroup!:rbac.authorization.k8s.io kind!:ClusterRole|Role name!:name
        Subject: kind!:ServiceAccount|User|Group apiGroup:string name!:name namespace:name
        ConfigMap: apiVersion!:v1 kind!:ConfigMap metadata!:ObjectMeta data!:{string} immutable:bool
        DaemonSet: apiVersion!:apps/v1 kind!:DaemonSet metadata!:ObjectMeta spec!:DaemonSetSpec
        DaemonSetSpec: selector!:LabelSelector template!:PodTemplate updateStrategy:UpdateStrategy minReadySeconds:int revisionHistoryLimit:int
        LabelSelector: matchLabels!:{string}
        UpdateStrategy: type!:RollingUpdate|OnDelete rollingUpdate:RollingUpdate
        RollingUpdate: maxUnavailable:percent maxSurge:percent
        PodTemplate: metadata!:TemplateMeta spec!:PodSpec
        ObjectMeta: name!:name namespace:name labels:{string} annotations:{string}
        TemplateMeta: labels!:{string} annotations:{string}
        PodSpec: containers!:[Container] initContainers:[Container] volumes:[Volume] serviceAccountName:name automountServiceAccountToken:bool hostNetwork:bool hostPID:bool dnsPolicy:Default|ClusterFirst|ClusterFirstWithHostNet|None priorityClassName:name terminationGracePeriodSeconds:int nodeSelector:{string} tolerations:[Toleration] securityContext:PodSecurity restartPolicy:Always
        Toleration: key:string operator:Exists|Equal value:string effect:NoSchedule|PreferNoSchedule|NoExecute tolerationSeconds:int
        Container: name!:name image!:image imagePullPolicy:Always|IfNotPresent|Never command:[string] args:[string] env:[EnvVar] ports:[ContainerPort] resources:Resources securityContext:Security livenessProbe:Probe readinessProbe:Probe startupProbe:Probe volumeMounts:[VolumeMount]
        ContainerPort: name:name containerPort!:port hostPort:port protocol:TCP|UDP|SCTP
        EnvVar: name!:string value:string valueFrom:EnvSource
        EnvSource: fieldRef!:FieldRef
        FieldRef: apiVersion:v1 fieldPath!:spec.nodeName|status.hostIP|metadata.name|metadata.namespace
        Resources: requests:{quantity} limits:{quantity}
        Security: privileged:bool allowPrivilegeEscalation:bool readOnlyRootFilesystem:bool runAsUser:int runAsNonRoot:bool capabilities:Capabilities
        PodSecurity: runAsUser:int runAsNonRoot:bool
        Capabilities: add:[string] drop:[string]
        Probe: httpGet!:HttpGet initialDelaySeconds:int periodSeconds:int timeoutSeconds:int successThreshold:int failureThreshold:int
        HttpGet: path!:string port!:port host:string scheme:HTTP|HTTPS
        VolumeMount: name!:name mountPath!:path readOnly:bool subPath:string
        Volume: name!:name configMap:ConfigMapVolume emptyDir:EmptyDir hostPath:HostPath
        ConfigMapVolume: name!:name items:[Item] defaultMode:int optional:bool
        Item: key!:string path!:string
        EmptyDir: medium:Memory sizeLimit:quantity
        HostPath: path!:path type:DirectoryOrCreate|Directory|FileOrCreate|File|Socket
        Verb=get|list|watch|create|update|patch|delete
        """;

    private static readonly Dictionary<string, List<Field>> Types = Definitions.Split('\n').Where(line => !line.Contains('=', StringComparison.Ordinal)).Select(line => line.Split(": ", 2))
        .ToDictionary(parts => parts[0], parts => parts[1].Split(' ').Select(Parse).ToList());

    private static readonly Dictionary<string, string> Choices = Definitions.Split('\n').Where(line => line.Contains('=', StringComparison.Ordinal)).Select(line => line.Split('='))
        .ToDictionary(parts => parts[0], parts => parts[1]);

    /// <summary>What is wrong with an object: a path and a reason for each mistake.</summary>
    public static IReadOnlyList<string> Check(JsonNode? value)
    {
        var kind = (value as JsonObject)?["kind"]?.ToString() ?? "";
        var mistakes = new List<string>();
        if (Types.ContainsKey(kind)) Check(value, kind, kind, mistakes);
        else mistakes.Add($"kind: {kind} is not known here");
        return mistakes;
    }

    private static Field Parse(string text)
    {
        var parts = text.Split(':', 2);
        return new Field(parts[0].TrimEnd('!'), parts[0].EndsWith('!'), parts[1]);
    }

    private static void Check(JsonNode? value, string type, string path, List<string> mistakes)
    {
        if (type[0] == '[') CheckEach(value is JsonArray list ? list.Select((item, at) => ($"[{at}]", item)) : null, type[1..^1], path, mistakes);
        else if (type[0] == '{') CheckEach(value is JsonObject map ? map.Select(entry => ($".{entry.Key}", entry.Value)) : null, type[1..^1], path, mistakes);
        else if (Types.TryGetValue(type, out var fields) && !IsConstant(type, path)) CheckObject(value as JsonObject, fields, path, mistakes);
        else if (!IsScalar(value, Choices.GetValueOrDefault(type, type))) mistakes.Add($"{path}: {value?.ToJsonString() ?? "null"} is no {type}");
    }

    // The value of "kind" is the name of a type.
    private static bool IsConstant(string type, string path) => path.EndsWith(".kind", StringComparison.Ordinal) && Types.ContainsKey(type);

    private static void CheckEach(IEnumerable<(string Place, JsonNode? Value)>? items, string type, string path, List<string> mistakes)
    {
        if (items is null) mistakes.Add($"{path}: has to hold several of {type}");
        foreach (var (place, value) in items ?? []) Check(value, type, path + place, mistakes);
    }

    private static void CheckObject(JsonObject? value, List<Field> fields, string path, List<string> mistakes)
    {
        if (value is null)
        {
            mistakes.Add($"{path}: has to be an object");
            return;
        }

        mistakes.AddRange(fields.Where(field => field.IsRequired && !value.ContainsKey(field.Name)).Select(field => $"{path}.{field.Name}: is missing"));
        foreach (var (name, member) in value)
        {
            if (fields.Find(field => field.Name == name) is { } field) Check(member, field.Type, $"{path}.{name}", mistakes);
            else mistakes.Add($"{path}.{name}: there is no such field");
        }
    }

    private static bool IsScalar(JsonNode? value, string type)
    {
        if (value is not JsonValue scalar) return false;
        var kind = scalar.GetValueKind();
        var text = scalar.ToString();
        return type switch
        {
            "bool" => kind is JsonValueKind.True or JsonValueKind.False,
            "int" => kind == JsonValueKind.Number && int.TryParse(text, out _),
            "port" => kind == JsonValueKind.Number && int.TryParse(text, out var port) && port is > 0 and < 65536,
            "percent" => kind == JsonValueKind.Number || Percent().IsMatch(text),
            "quantity" => Quantity().IsMatch(text),
            "string" => kind == JsonValueKind.String,
            "name" => kind == JsonValueKind.String && Name().IsMatch(text),
            "image" => kind == JsonValueKind.String && Image().IsMatch(text),
            "path" => kind == JsonValueKind.String && text.StartsWith('/'),
            _ => kind == JsonValueKind.String && type.Split('|').Contains(text),
        };
    }

    [GeneratedRegex("^[0-9]+%$")]
    private static partial Regex Percent();

    [GeneratedRegex("^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$")]
    private static partial Regex Quantity();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    private static partial Regex Name();

    [GeneratedRegex("^[a-z0-9][-a-z0-9./_]*:[-A-Za-z0-9._]+$")]
    private static partial Regex Image();

    private sealed record Field(string Name, bool IsRequired, string Type);
}
