using System.Collections;
using System.Reflection;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Tests.Client;

/// <summary>Takes an object of Core apart, whatever its fields are: one that is added later is in here at once.</summary>
internal static class CoreObjects
{
    /// <summary>The fields that have a value, by path.</summary>
    public static SortedDictionary<string, string> Flatten(KubernetesObject value)
    {
        var fields = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Flatten("", value, fields, []);
        return fields;
    }

    /// <summary>The fields that have a value, as <c>Type.Property</c>.</summary>
    public static void AddFieldsIn(KubernetesObject value, HashSet<string> seen) =>
        Flatten("", value, new SortedDictionary<string, string>(StringComparer.Ordinal), seen);

    /// <summary>All fields of the objects that a proxy reads, as <c>Type.Property</c>.</summary>
    public static HashSet<string> AllFields()
    {
        HashSet<string> fields = [];
        HashSet<Type> known = [];
        Queue<Type> open = new([typeof(Service), typeof(EndpointSlice), typeof(Node), typeof(ServiceCIDR)]);
        while (open.TryDequeue(out var type))
        {
            if (!known.Add(type)) continue;
            foreach (var property in PropertiesOf(type))
            {
                fields.Add(NameOf(property));
                foreach (var part in property.PropertyType.GetGenericArguments().Append(property.PropertyType).Where(IsRecord)) open.Enqueue(part);
            }
        }

        return fields;
    }

    private static void Flatten(string path, object? value, SortedDictionary<string, string> fields, HashSet<string> seen)
    {
        switch (value)
        {
            case null: break;
            case IDictionary entries:
                foreach (DictionaryEntry entry in entries) fields[$"{path}[{entry.Key}]"] = $"{entry.Value ?? "null"}";
                break;
            case IEnumerable list and not string:
                var count = 0;
                foreach (var item in list) Flatten($"{path}[{count++}]", item, fields, seen);
                break;
            case DateTimeOffset time: fields[path] = $"{time.UtcDateTime:O}"; break; // The client makes UTC of all.
            case var _ when IsRecord(value.GetType()):
                fields[path + "{}"] = ""; // An empty object is not the same as none.
                foreach (var property in PropertiesOf(value.GetType()))
                {
                    var before = fields.Count;
                    Flatten($"{path}.{property.Name}", property.GetValue(value), fields, seen);
                    if (fields.Count > before) seen.Add(NameOf(property));
                }

                break;
            default: fields[path] = $"{value}"; break;
        }
    }

    private static string NameOf(PropertyInfo property) => $"{property.DeclaringType!.Name}.{property.Name}";

    private static PropertyInfo[] PropertiesOf(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    private static bool IsRecord(Type type) => type.IsClass && type.Assembly == typeof(Service).Assembly && type.Namespace == typeof(Service).Namespace;
}
