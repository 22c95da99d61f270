using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using System.Xml.Serialization;

namespace Altinn.App.Models
{
    /// <summary>The form's answers. Rules that one field can check alone stand here; a message is the id of a text.</summary>
    [XmlRoot("Model")]
    public class Model
    {
        [XmlElement("eventName")]
        [JsonPropertyName("eventName")]
        [Required(ErrorMessage = "error.required")]
        [StringLength(100, ErrorMessage = "error.tooLong")]
        public string EventName { get; set; }

        [XmlElement("eventType")]
        [JsonPropertyName("eventType")]
        public string EventType { get; set; }

        [XmlElement("contactEmail")]
        [JsonPropertyName("contactEmail")]
        [Required(ErrorMessage = "error.required")]
        [EmailAddress(ErrorMessage = "error.email")]
        public string ContactEmail { get; set; }

        [XmlElement("participants")]
        [JsonPropertyName("participants")]
        [Required(ErrorMessage = "error.required")]
        [Range(1, 10000, ErrorMessage = "error.participants")]
        public int? Participants { get; set; }

        [XmlElement("costPerParticipant")]
        [JsonPropertyName("costPerParticipant")]
        [Required(ErrorMessage = "error.required")]
        [Range(0, 100000, ErrorMessage = "error.amount")]
        public decimal? CostPerParticipant { get; set; }

        [XmlElement("ownShare")]
        [JsonPropertyName("ownShare")]
        [Range(0, 1000000000, ErrorMessage = "error.amount")]
        public decimal? OwnShare { get; set; }

        /// <summary>Calculated.</summary>
        [XmlElement("totalCost")]
        [JsonPropertyName("totalCost")]
        public decimal? TotalCost { get; set; }

        /// <summary>Calculated.</summary>
        [XmlElement("grant")]
        [JsonPropertyName("grant")]
        public decimal? Grant { get; set; }

        // Storage keeps the form as XML, in which a number that is not there is left out.
        public bool ShouldSerializeParticipants() => Participants.HasValue;

        public bool ShouldSerializeCostPerParticipant() => CostPerParticipant.HasValue;

        public bool ShouldSerializeOwnShare() => OwnShare.HasValue;

        public bool ShouldSerializeTotalCost() => TotalCost.HasValue;

        public bool ShouldSerializeGrant() => Grant.HasValue;
    }
}
