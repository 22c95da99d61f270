using System;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Serialization;

namespace Altinn.App.Forms
{
    /// <summary>
    /// A data type with a class in models/. Storage keeps it as XML, as for every Altinn app, or as JSON where the data
    /// type allows nothing else; the frontend sees JSON.
    /// </summary>
    public class FormType
    {
        private const string Xml = "application/xml";
        private const string Json = "application/json";

        private readonly Type type;

        private FormType(Type type, string storedAs)
        {
            this.type = type;
            StoredAs = storedAs;
        }

        /// <summary>The content type in Storage.</summary>
        public string StoredAs { get; }

        public static FormType Of(ApplicationMetadata.DataType dataType)
        {
            string name = dataType.AppLogic.ClassRef;
            Type type = typeof(FormType).Assembly.GetType(name)
                ?? throw new Fault(500, "The app is not complete", $"The data type `{dataType.Id}` has the classRef `{name}`, and there is no such class in models/.");
            var allowed = dataType.AllowedContentTypes;
            bool xml = allowed == null || allowed.Count == 0 || allowed.Contains(Xml);
            return new FormType(type, xml ? Xml : Json);
        }

        public object Empty() => Activator.CreateInstance(type);

        public object FromJson(byte[] text)
        {
            try
            {
                return JsonSerializer.Deserialize(text, type) ?? throw Fault.BadRequest("The form is null.");
            }
            catch (JsonException e)
            {
                throw Fault.BadRequest($"The form cannot be read: {e.Message}");
            }
        }

        /// <summary>Every member, also those without a value.</summary>
        public byte[] ToJson(object model) => JsonSerializer.SerializeToUtf8Bytes(model, type);

        public byte[] ToStored(object model)
        {
            if (StoredAs == Json)
            {
                return ToJson(model);
            }

            var buffer = new MemoryStream();
            var form = new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true };
            using (XmlWriter writer = XmlWriter.Create(buffer, form))
            {
                new XmlSerializer(type).Serialize(writer, model);
            }

            return buffer.ToArray();
        }

        /// <summary>The form as it was stored, or as a client sends it, by its content type.</summary>
        public object Read(byte[] text, string contentType)
        {
            if (contentType != null && contentType.StartsWith(Json, StringComparison.OrdinalIgnoreCase))
            {
                return FromJson(text);
            }

            try
            {
                using XmlReader reader = XmlReader.Create(new MemoryStream(text));
                return new XmlSerializer(type).Deserialize(reader);
            }
            catch (InvalidOperationException e)
            {
                throw Fault.BadRequest($"The form cannot be read: {(e.InnerException ?? e).Message}");
            }
        }
    }
}
